import { type fits } from './options/schemas.js';
/** What an adapter's file says of itself; empty for files of the published code. */
export interface AdapterInfo {
    type?: string;
    partFill: 'grey' | 'black';
    globalPrompt: string;
    anomalyPrompt: string;
    /** Pixels along each side of the training images. */
    resolution?: number;
    /** How the training images were brought to that. */
    fit: (typeof fits)[number];
    /** Background compensation, which needs backgrounds to sample. */
    background: 'off' | 'add' | 'interpolate';
    /** Whether it was trained on background latents that are scaled by the autoencoder's factor; published ones were not. */
    backgroundScaled: boolean;
    metadata: Readonly<Record<string, string>>;
}
/** An option's name as files have it. */
export declare const snakeCase: (option: string) => string;
/** The number that a text is and nothing besides; NaN for anything else. */
export declare const numberFrom: (value: string) => number;
/** `background` is in the metadata of every adapter that was read: its tensors say it where the file does not. */
export declare function adapterInfo(file: string, metadata: Record<string, string>): AdapterInfo;
/** Throws ERR_WEIGHTS_INVALID as `adapterInfo` does, for a file that nothing is to be sampled from. */
export declare function checkAdapterFile(file: string): Promise<void>;
