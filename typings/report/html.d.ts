import type { RawImage } from '../image.js';
export declare const escapeHtml: (text: string) => string;
export declare function picture(image: RawImage, label: string): Promise<string>;
/** A whole document that needs nothing else. */
export declare const page: (title: string, body: string) => string;
