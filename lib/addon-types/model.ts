/** Declares the engine's types for tasks, base models and file conversions. */

export interface NativeTask {
  cancel(): void;
}

export interface NativeModelInfo {
  /**
   * A fingerprint of the weights of the U-Net and the text encoder. Copies in float32 and float16 have the same one. A
   * copy in bfloat16 has a slightly different one because of rounding, which the check of an adapter against its base
   * tolerates.
   */
  fingerprint: string;
  /** The fingerprint that version 0.1.0 wrote into adapters and checkpoints. */
  legacyFingerprint: string;
  device: string;
  /** The reason why `device: 'auto'` chose the CPU although there is a GPU. Otherwise it is ''. */
  deviceNotice: string;
  dtype: string;
  /** The class name from diffusers in the base's scheduler config. */
  scheduler: string;
  /** Width and height of images must be multiples of this number of pixels. */
  resolutionMultiple: number;
  predictionType: 'epsilon' | 'v_prediction';
  /** True if a TAESD decoder was loaded. */
  fastDecoder: boolean;
  /** True if the UNet takes the known ground as its input, too, as Stable Diffusion inpainting does. */
  isInpainting: boolean;
}

/** The first CUDA device, if there is one. */
export interface NativeDeviceInfo {
  /** The reason why CUDA cannot be used. It is '' if there is no NVIDIA driver or device. */
  reason: string;
  name: string;
  /** The compute capability, such as `9.0`. */
  capability: string;
  totalBytes: number;
  freeBytes: number;
}

/** The time that one stage or operation took during a profile. */
export interface NativeRecordedTime {
  name: string;
  isStage: boolean;
  calls: number;
  /** The time including nested stages and operations. On CUDA, it covers only the launches of kernels. */
  seconds: number;
  /** The time without nested stages and operations. */
  ownSeconds: number;
}

/** A tensor in row-major order. */
export interface NativeTensor {
  data: Float32Array;
  shape: number[];
}

/** An object with a tokenizer. */
export interface NativePrompts {
  /** Returns the words at the end of each prompt that do not fit into the token limit, or ''. */
  checkPrompts(prompts: string[], task: NativeTask): Promise<{ maxTokens: number; leftOut: string[] }>;
}

export interface NativeModel extends NativePrompts {
  encode(image: Uint8Array, width: number, height: number, task: NativeTask): Promise<NativeTensor>;
  decode(latents: NativeTensor, fast: boolean, task: NativeTask): Promise<Uint8Array>;
  textEncode(prompts: string[], task: NativeTask): Promise<NativeTensor>;
  dispose(): void;
}

/** The files of a base model. Fields that do not apply are ''. */
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
  /** One scale for each file. */
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
  format: string;
  dtype: string;
  /** The rank of SAIM's projections. 0 keeps the full matrices. */
  saimRank: number;
}

export interface NativeAdapterConversion {
  numbers: number;
  saimErrors: { layer: string; scores: number; values: number }[];
  background: string;
  backgroundScaled: boolean;
}
