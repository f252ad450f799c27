/** Every option of the package with its range and default; nothing else holds a second default. */
import { z } from 'zod';
import type { RawImage } from '../image.js';
import type { Layouts } from '../layouts.js';
export declare const schedulers: readonly ['pndm', 'ddim', 'ddpm', 'euler', 'dpmsolver++', 'dpmsolver++-karras', 'unipc'];
/** The paper's nested prompts. */
export declare const DEFAULT_PROMPTS: {
    global: string;
    anomaly: string;
};
/** Adapters are told by their ending when they are read. */
export declare const adapterFile: () => z.ZodString;
export declare const loadSchema: z.ZodObject<{
    configFolder: z.ZodOptional<z.ZodString>;
    predictionType: z.ZodOptional<z.ZodEnum<{
        epsilon: "epsilon";
        v_prediction: "v_prediction";
    }>>;
    device: z.ZodDefault<z.ZodString>;
    dtype: z.ZodDefault<z.ZodEnum<{
        auto: "auto";
        bfloat16: "bfloat16";
        float16: "float16";
        float32: "float32";
    }>>;
    loras: z.ZodDefault<z.ZodArray<z.ZodObject<{
        file: z.ZodString;
        scale: z.ZodDefault<z.ZodNumber>;
    }, z.core.$strict>>>;
    taesd: z.ZodOptional<z.ZodString>;
    signal: z.ZodOptional<z.ZodCustom<AbortSignal, AbortSignal>>;
}, z.core.$strict>;
export declare const convertCheckpointSchema: z.ZodObject<{
    configFolder: z.ZodOptional<z.ZodString>;
    predictionType: z.ZodOptional<z.ZodEnum<{
        epsilon: "epsilon";
        v_prediction: "v_prediction";
    }>>;
    dtype: z.ZodDefault<z.ZodEnum<{
        bfloat16: "bfloat16";
        float16: "float16";
        float32: "float32";
    }>>;
    signal: z.ZodOptional<z.ZodCustom<AbortSignal, AbortSignal>>;
}, z.core.$strict>;
export declare const convertAdapterSchema: z.ZodObject<{
    layout: z.ZodDefault<z.ZodEnum<{
        own: "own";
        published: "published";
    }>>;
    dtype: z.ZodDefault<z.ZodEnum<{
        bfloat16: "bfloat16";
        float16: "float16";
        float32: "float32";
    }>>;
    saimRank: z.ZodOptional<z.ZodNumber>;
    signal: z.ZodOptional<z.ZodCustom<AbortSignal, AbortSignal>>;
}, z.core.$strict>;
/** How many of a type's images train: 'N' or 'a/b' of them, the first by name; with '@k', the k-th such part. */
export declare const trainImagesSchema: z.ZodUnion<readonly [z.ZodNumber, z.ZodString]>;
export declare const fits: readonly ['crop', 'stretch'];
export declare const foregroundSchema: z.ZodObject<{
    foregroundMasks: z.ZodOptional<z.ZodString>;
    foregroundWeights: z.ZodOptional<z.ZodString>;
}, z.core.$strict>;
export declare const trainerSchema: z.ZodObject<{
    foregroundMasks: z.ZodOptional<z.ZodString>;
    foregroundWeights: z.ZodOptional<z.ZodString>;
    type: z.ZodString;
    rank: z.ZodDefault<z.ZodNumber>;
    learningRate: z.ZodOptional<z.ZodNumber>;
    warmupSteps: z.ZodDefault<z.ZodNumber>;
    weightDecay: z.ZodDefault<z.ZodNumber>;
    maxGradNorm: z.ZodDefault<z.ZodNumber>;
    timestepPower: z.ZodOptional<z.ZodNumber>;
    defectShare: z.ZodOptional<z.ZodNumber>;
    initialAdapter: z.ZodOptional<z.ZodString>;
    batchSize: z.ZodOptional<z.ZodNumber>;
    gradientAccumulation: z.ZodDefault<z.ZodNumber>;
    resolution: z.ZodOptional<z.ZodNumber>;
    fit: z.ZodDefault<z.ZodEnum<{
        crop: "crop";
        stretch: "stretch";
    }>>;
    partFill: z.ZodDefault<z.ZodEnum<{
        auto: "auto";
        black: "black";
        grey: "grey";
    }>>;
    flips: z.ZodDefault<z.ZodBoolean>;
    branches: z.ZodDefault<z.ZodEnum<{
        joint: "joint";
        one: "one";
        separate: "separate";
    }>>;
    background: z.ZodDefault<z.ZodEnum<{
        add: "add";
        interpolate: "interpolate";
        off: "off";
    }>>;
    backgroundScaled: z.ZodDefault<z.ZodBoolean>;
    trainImages: z.ZodDefault<z.ZodUnion<readonly [z.ZodNumber, z.ZodString]>>;
    trainTextEncoder: z.ZodDefault<z.ZodBoolean>;
    gradientCheckpointing: z.ZodDefault<z.ZodBoolean>;
    globalPrompt: z.ZodOptional<z.ZodString>;
    anomalyPrompt: z.ZodOptional<z.ZodString>;
    seed: z.ZodDefault<z.ZodNumber>;
}, z.core.$strict>;
export declare const trainSchema: z.ZodObject<{
    steps: z.ZodOptional<z.ZodNumber>;
    out: z.ZodOptional<z.ZodString>;
    checkpointEvery: z.ZodDefault<z.ZodNumber>;
    resume: z.ZodDefault<z.ZodBoolean>;
    signal: z.ZodOptional<z.ZodCustom<AbortSignal, AbortSignal>>;
}, z.core.$strict>;
export declare const sampleSchema: z.ZodObject<{
    count: z.ZodNumber;
    steps: z.ZodDefault<z.ZodNumber>;
    guidanceScale: z.ZodDefault<z.ZodNumber>;
    guidanceInterval: z.ZodDefault<z.ZodTuple<[z.ZodNumber, z.ZodNumber], null>>;
    reuseFeatures: z.ZodDefault<z.ZodNumber>;
    scheduler: z.ZodDefault<z.ZodEnum<{
        ddim: "ddim";
        ddpm: "ddpm";
        "dpmsolver++": "dpmsolver++";
        "dpmsolver++-karras": "dpmsolver++-karras";
        euler: "euler";
        pndm: "pndm";
        unipc: "unipc";
    }>>;
    eta: z.ZodDefault<z.ZodNumber>;
    batchSize: z.ZodDefault<z.ZodNumber>;
    seed: z.ZodDefault<z.ZodNumber>;
    resolution: z.ZodOptional<z.ZodNumber>;
    globalPrompt: z.ZodOptional<z.ZodString>;
    anomalyPrompt: z.ZodOptional<z.ZodString>;
    negativePrompt: z.ZodDefault<z.ZodString>;
    matchLevels: z.ZodOptional<z.ZodBoolean>;
    attention: z.ZodDefault<z.ZodBoolean>;
    decoder: z.ZodDefault<z.ZodEnum<{
        taesd: "taesd";
        vae: "vae";
    }>>;
    backgrounds: z.ZodOptional<z.ZodCustom<readonly {
        image: RawImage;
        foreground: RawImage;
    }[], readonly {
        image: RawImage;
        foreground: RawImage;
    }[]>>;
    layouts: z.ZodOptional<z.ZodCustom<Layouts, Layouts>>;
    strength: z.ZodDefault<z.ZodNumber>;
    backgroundEvery: z.ZodDefault<z.ZodNumber>;
    backgroundScaled: z.ZodOptional<z.ZodBoolean>;
    backgroundNoise: z.ZodDefault<z.ZodEnum<{
        fixed: "fixed";
        fresh: "fresh";
    }>>;
    keepBackgroundFeatures: z.ZodDefault<z.ZodEnum<{
        device: "device";
        host: "host";
        no: "no";
    }>>;
    skip: z.ZodOptional<z.ZodCustom<ReadonlySet<number>, ReadonlySet<number>>>;
    signal: z.ZodOptional<z.ZodCustom<AbortSignal, AbortSignal>>;
    onProgress: z.ZodOptional<z.ZodCustom<(step: number, steps: number) => void, (step: number, steps: number) => void>>;
}, z.core.$strict>;
/**
 * Named settings of `Sampler.sample` for fewer and cheaper calls of the model, each with what its pairs lose against
 * the default in the README: `sampler.sample({ ...SAMPLING_PRESETS.fast, count: 1000 })`.
 */
export declare const SAMPLING_PRESETS: {
    fast: {
        scheduler: "dpmsolver++";
        steps: number;
        guidanceInterval: [number, number];
        reuseFeatures: number;
    };
};
export declare const layoutsSchema: z.ZodObject<{
    resolution: z.ZodNumber;
    fit: z.ZodDefault<z.ZodEnum<{
        crop: "crop";
        stretch: "stretch";
    }>>;
    ownShare: z.ZodDefault<z.ZodNumber>;
    smallOwnShare: z.ZodDefault<z.ZodNumber>;
    pasteShare: z.ZodDefault<z.ZodNumber>;
    smallPasteShare: z.ZodOptional<z.ZodNumber>;
    thinPasteShare: z.ZodOptional<z.ZodNumber>;
    pasteOnDefects: z.ZodDefault<z.ZodBoolean>;
    pasteTurns: z.ZodDefault<z.ZodBoolean>;
    lightSpread: z.ZodDefault<z.ZodNumber>;
    smallLightSpread: z.ZodOptional<z.ZodNumber>;
    exposureSpread: z.ZodDefault<z.ZodNumber>;
    movedContrast: z.ZodDefault<z.ZodNumber>;
    seed: z.ZodDefault<z.ZodNumber>;
}, z.core.$strict>;
/** Options of one batch that is denoised step by step. */
export declare const batchSchema: z.ZodObject<{
    steps: z.ZodDefault<z.ZodNumber>;
    guidanceScale: z.ZodDefault<z.ZodNumber>;
    guidanceInterval: z.ZodDefault<z.ZodTuple<[z.ZodNumber, z.ZodNumber], null>>;
    reuseFeatures: z.ZodDefault<z.ZodNumber>;
    scheduler: z.ZodDefault<z.ZodEnum<{
        ddim: "ddim";
        ddpm: "ddpm";
        "dpmsolver++": "dpmsolver++";
        "dpmsolver++-karras": "dpmsolver++-karras";
        euler: "euler";
        pndm: "pndm";
        unipc: "unipc";
    }>>;
    eta: z.ZodDefault<z.ZodNumber>;
    seed: z.ZodDefault<z.ZodNumber>;
    resolution: z.ZodOptional<z.ZodNumber>;
    globalPrompt: z.ZodOptional<z.ZodString>;
    anomalyPrompt: z.ZodOptional<z.ZodString>;
    negativePrompt: z.ZodDefault<z.ZodString>;
    matchLevels: z.ZodOptional<z.ZodBoolean>;
    attention: z.ZodDefault<z.ZodBoolean>;
    decoder: z.ZodDefault<z.ZodEnum<{
        taesd: "taesd";
        vae: "vae";
    }>>;
    backgrounds: z.ZodOptional<z.ZodCustom<readonly {
        image: RawImage;
        foreground: RawImage;
    }[], readonly {
        image: RawImage;
        foreground: RawImage;
    }[]>>;
    layouts: z.ZodOptional<z.ZodCustom<Layouts, Layouts>>;
    strength: z.ZodDefault<z.ZodNumber>;
    backgroundEvery: z.ZodDefault<z.ZodNumber>;
    backgroundScaled: z.ZodOptional<z.ZodBoolean>;
    backgroundNoise: z.ZodDefault<z.ZodEnum<{
        fixed: "fixed";
        fresh: "fresh";
    }>>;
    keepBackgroundFeatures: z.ZodDefault<z.ZodEnum<{
        device: "device";
        host: "host";
        no: "no";
    }>>;
    signal: z.ZodOptional<z.ZodCustom<AbortSignal, AbortSignal>>;
    indices: z.ZodArray<z.ZodNumber>;
}, z.core.$strict>;
export declare const protocols: readonly ['paper', 'small'];
export declare const baselines: readonly ['none', 'crop-paste', 'draem'];
export declare const evaluatorSchema: z.ZodObject<{
    protocol: z.ZodDefault<z.ZodEnum<{
        paper: "paper";
        small: "small";
    }>>;
    generated: z.ZodDefault<z.ZodRecord<z.ZodString, z.ZodUnion<readonly [z.ZodString, z.ZodArray<z.ZodString>]>>>;
    withReal: z.ZodDefault<z.ZodBoolean>;
    compare: z.ZodDefault<z.ZodArray<z.ZodEnum<{
        "crop-paste": "crop-paste";
        draem: "draem";
        none: "none";
    }>>>;
    seeds: z.ZodDefault<z.ZodNumber>;
    seed: z.ZodDefault<z.ZodNumber>;
    trainImages: z.ZodOptional<z.ZodUnion<readonly [z.ZodNumber, z.ZodString]>>;
    testData: z.ZodOptional<z.ZodString>;
    textures: z.ZodOptional<z.ZodString>;
    iterations: z.ZodOptional<z.ZodNumber>;
    learningRate: z.ZodOptional<z.ZodNumber>;
    classifierIterations: z.ZodOptional<z.ZodNumber>;
    resolution: z.ZodOptional<z.ZodNumber>;
    classifier: z.ZodDefault<z.ZodBoolean>;
    classifierWeights: z.ZodOptional<z.ZodString>;
    inceptionWeights: z.ZodOptional<z.ZodString>;
    lpipsWeights: z.ZodOptional<z.ZodObject<{
        backbone: z.ZodString;
        linear: z.ZodString;
    }, z.core.$strict>>;
    jobs: z.ZodOptional<z.ZodNumber>;
    checkpointEvery: z.ZodDefault<z.ZodNumber>;
    device: z.ZodDefault<z.ZodString>;
}, z.core.$strict>;
export declare const pairWriterSchema: z.ZodObject<{
    type: z.ZodString;
    adapter: z.ZodString;
    settings: z.ZodRecord<z.ZodString, z.ZodUnknown>;
    resume: z.ZodBoolean;
}, z.core.$strict>;
/** An attention map is a saliency already. */
export declare const attentionSchema: z.ZodObject<{
    threshold: z.ZodDefault<z.ZodNumber>;
}, z.core.$strict>;
export declare const maskerSchema: z.ZodObject<{
    device: z.ZodDefault<z.ZodString>;
    threshold: z.ZodDefault<z.ZodNumber>;
}, z.core.$strict>;
export declare const thresholdSchema: z.ZodObject<{
    partFill: z.ZodDefault<z.ZodEnum<{
        black: "black";
        grey: "grey";
    }>>;
    threshold: z.ZodDefault<z.ZodNumber>;
}, z.core.$strict>;
