/** The engine's tasks, base models and file conversions. */

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
  checkPrompts(prompts: string[], task: NativeTask): Promise<{ maxTokens: number; leftOut: string[] }>;
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
  format: string;
  dtype: string;
  /** 0: SAIM in full. */
  saimRank: number;
}

export interface NativeAdapterConversion {
  numbers: number;
  saimErrors: { layer: string; scores: number; values: number }[];
  background: string;
  backgroundScaled: boolean;
}
