/**
 * The whole contract of the native engine. Nothing outside `native.ts` imports the engine; nothing in here has a
 * default: every option is resolved before it crosses.
 */
export interface NativeTask {
    cancel(): void;
}
export interface NativeModelInfo {
    /** Tells bases apart by the weights of UNet and text encoder. Copies in float32 and float16 share it; in bfloat16 it
     * differs by rounding, which is allowed for where an adapter is checked against its base. */
    fingerprint: string;
    /** What version 0.1.0 wrote into adapters and checkpoints in its place. */
    legacyFingerprint: string;
    device: string;
    /** Why `device: 'auto'` took the CPU although there is a GPU; '' where that is not so. */
    deviceNotice: string;
    dtype: string;
    /** diffusers' class name in the base's scheduler config. */
    scheduler: string;
    /** What image sides must be multiples of. */
    resolutionMultiple: number;
    predictionType: 'epsilon' | 'v_prediction';
    /** Whether there is a TAESD decoder. */
    fastDecoder: boolean;
}
/** The first CUDA device, or why there is none ('': no NVIDIA driver or device). */
export interface NativeDeviceInfo {
    reason: string;
    name: string;
    /** Compute capability, as in `9.0`. */
    capability: string;
    totalBytes: number;
    freeBytes: number;
}
/** What one stage or operation took while it was recorded. */
export interface NativeRecordedTime {
    name: string;
    isStage: boolean;
    calls: number;
    /** With all that it calls; on CUDA, of the launches. */
    seconds: number;
    /** Without the stages and operations that it calls. */
    ownSeconds: number;
}
/** Numbers row by row. */
export interface NativeTensor {
    data: Float32Array;
    shape: number[];
}
/** What reads prompts. */
export interface NativePrompts {
    /** The words at each prompt's end that have no room, or ''. */
    checkPrompts(prompts: string[], task: NativeTask): Promise<{
        maxTokens: number;
        leftOut: string[];
    }>;
}
export interface NativeModel extends NativePrompts {
    encode(image: Uint8Array, width: number, height: number, task: NativeTask): Promise<NativeTensor>;
    decode(latents: NativeTensor, fast: boolean, task: NativeTask): Promise<Uint8Array>;
    textEncode(prompts: string[], task: NativeTask): Promise<NativeTensor>;
    dispose(): void;
}
/** Where a base comes from; what does not apply is ''. */
export interface NativeBaseSource {
    path: string;
    configFolder: string;
    tokenizerFolder: string;
    predictionType: string;
}
export interface NativeLoadOptions extends NativeBaseSource {
    device: string;
    dtype: string;
    loraFiles: string[];
    /** One for each file. */
    loraScales: number[];
    taesd: string;
}
export interface NativeConvertBaseOptions extends NativeBaseSource {
    out: string;
    dtype: string;
}
export interface NativeConvertAdapterOptions {
    input: string;
    out: string;
    layout: string;
    dtype: string;
    /** 0: SAIM in full. */
    saimRank: number;
}
export interface NativeAdapterConversion {
    numbers: number;
    saimErrors: {
        layer: string;
        scores: number;
        values: number;
    }[];
    background: string;
    backgroundScaled: boolean;
}
export interface NativeTrainOptions {
    rank: number;
    batchSize: number;
    gradientAccumulation: number;
    warmupSteps: number;
    learningRate: number;
    weightDecay: number;
    maxGradNorm: number;
    timestepPower: number;
    defectShare: number;
    /** A file; '' for a fresh adapter. */
    initialAdapter: string;
    branches: string;
    background: string;
    backgroundScaled: boolean;
    globalPrompt: string;
    anomalyPrompt: string;
    trainTextEncoder: boolean;
    gradientCheckpointing: boolean;
    seed: number;
    partFill: string;
    flips: boolean;
    /** Of the images that come with the options. */
    count: number;
    width: number;
    height: number;
}
export interface NativeSampleOptions {
    steps: number;
    width: number;
    height: number;
    guidanceScale: number;
    /** The guided calls, by their place between image (0) and noise (1). */
    guidedFrom: number;
    guidedTo: number;
    reuseFeatures: number;
    eta: number;
    scheduler: string;
    globalPrompt: string;
    anomalyPrompt: string;
    negativePrompt: string;
    seed: number;
    matchLevels: boolean;
    strength: number;
    attention: boolean;
    fastDecoder: boolean;
}
export interface NativeBackgroundOptions {
    /** Pairs that share a background. */
    every: number;
    scaled: boolean;
    freshNoise: boolean;
    /** 'no', 'device' or 'host'. */
    keepFeatures: string;
    seed: number;
    /** Of the images that come with the options. */
    count: number;
    width: number;
    height: number;
}
export interface NativeBackgrounds {
    dispose(): void;
}
export interface NativeMaskOptions {
    width: number;
    height: number;
    /** 0 to 1. */
    threshold: number;
    /** The part's blank level, 0 to 255. */
    fill: number;
}
export interface NativeStep {
    step: number;
    loss: number;
    /** Before clipping. Not finite where the step was skipped. */
    gradNorm: number;
    learningRate: number;
    /** In float16: what the loss was multiplied by, so that gradients do not vanish. */
    lossScale?: number;
    /** In float16: the steps of the run so far whose gradients overflowed, and which changed no weights. */
    skippedSteps?: number;
}
export interface NativePair {
    index: number;
    image: Uint8Array;
    part: Uint8Array;
    /** One byte a pixel, where it was asked for. */
    attention?: Uint8Array;
    /** One byte a pixel, of variations of layouts. */
    mask?: Uint8Array;
}
export interface NativeTrainer {
    step(task: NativeTask): Promise<NativeStep>;
    saveCheckpoint(path: string, metadata: Record<string, string>, task: NativeTask): Promise<void>;
    loadCheckpoint(path: string, task: NativeTask): Promise<number>;
    loadFinished(path: string, steps: number, task: NativeTask): Promise<void>;
    saveAdapter(path: string, metadata: Record<string, string>, task: NativeTask): Promise<void>;
    preview(options: NativeSampleOptions, indices: number[], task: NativeTask): Promise<NativePair[]>;
    dispose(): void;
}
export type NativeProgress = (step: number, steps: number) => void;
export interface NativeBatch {
    step(latents: NativeTensor | undefined, task: NativeTask): Promise<NativeTensor>;
    decode(task: NativeTask): Promise<NativePair[]>;
    dispose(): void;
}
/** A batch before its first call; `position` calls are left out where it starts from layouts. */
export interface NativeBegun {
    handle: NativeBatch;
    timesteps: number[];
    position: number;
    latents: NativeTensor;
}
/** A batch whose pairs may still be on their way from the device. */
export interface NativeDrawn {
    /** Once. */
    take(task: NativeTask): Promise<NativePair[]>;
    dispose(): void;
}
export interface NativeSampler extends NativePrompts {
    metadata(): Record<string, string>;
    draw(options: NativeSampleOptions, indices: number[], backgrounds: NativeBackgrounds | undefined, layouts: NativeLayouts | undefined, task: NativeTask, progress: NativeProgress): Promise<NativeDrawn>;
    begin(options: NativeSampleOptions, indices: number[], backgrounds: NativeBackgrounds | undefined, layouts: NativeLayouts | undefined, task: NativeTask): Promise<NativeBegun>;
    textEncode(prompts: string[], task: NativeTask): Promise<NativeTensor>;
    predict(latents: NativeTensor, timesteps: NativeTensor, textStates: NativeTensor, task: NativeTask): Promise<NativeTensor>;
    dispose(): void;
}
export interface NativeMasker {
    mask(part: Uint8Array, options: NativeMaskOptions, task: NativeTask): Promise<Uint8Array>;
    dispose(): void;
}
export interface NativeLearnerOptions {
    /** Base width of the network. */
    channels: number;
    batchSize: number;
    iterations: number;
    learningRate: number;
    /** Of the good images. */
    flips: boolean;
    seed: number;
    source: string;
    flipDefects: boolean;
    device: string;
}
/** Of the images or maps that come with it. */
export interface NativeMapOptions {
    count: number;
    width: number;
    height: number;
}
/** Each 0 to 1; NaN where the images have no defect, or nothing but defects. */
export interface NativeDetectionScores {
    pixelAuroc: number;
    pixelAp: number;
    pixelF1Max: number;
    pixelAuPro: number;
    imageAuroc: number;
    imageAp: number;
    imageF1Max: number;
}
export interface NativeLayouts {
    dispose(): void;
}
export interface NativePool {
    append(images: Uint8Array, masks: Uint8Array | undefined, count: number): void;
    dispose(): void;
}
/** A network of the evaluation. */
export interface NativeLearner {
    step(task: NativeTask): Promise<{
        step: number;
        loss: number;
    }>;
    predict(images: Uint8Array, options: NativeMapOptions, task: NativeTask): Promise<NativeTensor>;
    saveCheckpoint(path: string, metadata: Record<string, string>, task: NativeTask): Promise<void>;
    loadCheckpoint(path: string, task: NativeTask): Promise<number>;
    dispose(): void;
}
export interface NativeEngine {
    /**
     * How the threads of OpenMP wait: `own` for the engine's short spinning, `user` for what the environment says, else the
     * path of an OpenMP library that the process had opened before, whose way nothing can change.
     */
    readonly openMpWait: string;
    nativeInfo(): {
        builtForTorch: string;
        /** The engine's own operations, by their names in libtorch's dispatcher. */
        ops: string[];
        /** Engine objects that handles of this thread hold or that wait to be freed, and the bytes that V8 was told of. */
        held: {
            objects: number;
            bytes: number;
        };
        /** The sets of CPU kernels that are used here: `avx2`, `avx512`, `avx512_bf16`. */
        kernels: string[];
        options: Record<'load' | 'train' | 'sample' | 'layouts' | 'background' | 'mask' | 'learner' | 'map' | 'convertBase' | 'convertAdapter', string[]>;
    };
    /** For the exit of the process: ends all work, or the process where work does not end. */
    shutdown(exitCode: number): void;
    deviceInfo(task: NativeTask): Promise<NativeDeviceInfo>;
    /** How many libtorch uses for the work of the task's torch thread. */
    setThreads(count: number, task: NativeTask): Promise<void>;
    getThreads(task: NativeTask): Promise<number>;
    startProfile(task: NativeTask): Promise<void>;
    stopProfile(task: NativeTask): Promise<NativeRecordedTime[]>;
    readMetadata(path: string, task: NativeTask): Promise<Record<string, string>>;
    /** Work of tasks with one number waits for each other, and runs beside that of others. */
    Task: new (torchThread: number) => NativeTask;
    loadModel(options: NativeLoadOptions, task: NativeTask): Promise<{
        handle: NativeModel;
        info: NativeModelInfo;
    }>;
    createTrainer(model: NativeModel, options: NativeTrainOptions, images: Uint8Array, masks: Uint8Array, foregrounds: Uint8Array | undefined, task: NativeTask): Promise<NativeTrainer>;
    encodeBackgrounds(model: NativeModel, options: NativeBackgroundOptions, images: Uint8Array, foregrounds: Uint8Array, task: NativeTask): Promise<NativeBackgrounds>;
    createSampler(model: NativeModel, adapter: string, task: NativeTask): Promise<NativeSampler>;
    loadMasker(path: string, device: string, task: NativeTask): Promise<NativeMasker>;
    lacksContrast(part: Uint8Array, width: number, height: number, task: NativeTask): Promise<boolean>;
    thresholdMask(part: Uint8Array, options: NativeMaskOptions, task: NativeTask): Promise<Uint8Array>;
    createLayouts(options: {
        ownShare: number;
        smallOwnShare: number;
        pasteShare: number;
        smallPasteShare: number;
        thinPasteShare: number;
        pasteOnDefects: boolean;
        pasteTurns: boolean;
        lightSpread: number;
        smallLightSpread: number;
        exposureSpread: number;
        movedContrast: number;
        seed: number;
    }, defects: NativePool, good: NativePool, task: NativeTask): Promise<NativeLayouts>;
    createPool(width: number, height: number): NativePool;
    createDetector(options: NativeLearnerOptions, good: NativePool, defects: NativePool, groups: number[], types: number[], textures: NativePool | undefined, task: NativeTask): Promise<NativeLearner>;
    createClassifier(options: NativeLearnerOptions, good: NativePool, defects: NativePool, groups: number[], types: number[], classes: number, backbone: string, task: NativeTask): Promise<NativeLearner>;
    inceptionScore(images: NativePool, weights: string, device: string, task: NativeTask): Promise<number>;
    icLpips(generated: NativePool, real: NativePool, backbone: string, linear: string, device: string, task: NativeTask): Promise<number>;
    scoreMaps(maps: NativeTensor, masks: Uint8Array, options: NativeMapOptions, task: NativeTask): Promise<NativeDetectionScores>;
    convertBase(options: NativeConvertBaseOptions, task: NativeTask): Promise<void>;
    convertAdapter(options: NativeConvertAdapterOptions, task: NativeTask): Promise<NativeAdapterConversion>;
}
