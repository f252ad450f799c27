// One procedural picture: a surface, perhaps with a defect, and the defect's mask.
import { defects } from './defects.mjs';
import { textures } from './textures.mjs';

const clampByte = (value) => Math.min(255, Math.max(0, Math.round(255 * value)));

/** Luminance (ITU-R BT.601) in all three channels, in place. */
function desaturate(pixels) {
  for (let i = 0; i < pixels.length; i += 3) {
    pixels.fill(0.299 * pixels[i] + 0.587 * pixels[i + 1] + 0.114 * pixels[i + 2], i, i + 3);
  }
}

/**
 * Draws `defect` ("" for none) on `background` (0..1, size * size * 3, changed in place). `grey`: as a monochrome
 * camera sees it.
 * Returns { image: Uint8Array RGB, mask: Uint8Array of 0 and 1 }.
 */
export function drawPicture(random, size, background, defect, grey = false) {
  const cover = defect ? defects[defect](random, size, background) : new Float32Array(size * size);
  for (let i = 0; i < background.length; i++) background[i] += 0.012 * random.normal();
  if (grey) desaturate(background);
  return { image: Uint8Array.from(background, clampByte), mask: Uint8Array.from(cover, (c) => (c >= 0.5 ? 1 : 0)) };
}

export const drawTexture = (random, size, texture) => textures[texture](random, size);
