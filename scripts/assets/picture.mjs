// One procedural picture: a surface, perhaps with a defect, and the defect's mask.
import { defects } from './defects.mjs';
import { textures } from './textures.mjs';

const clampByte = (value) => Math.min(255, Math.max(0, Math.round(255 * value)));

/**
 * Draws `defect` ("" for none) on `background` (0..1, size * size * 3, changed in place).
 * Returns { image: Uint8Array RGB, mask: Uint8Array of 0 and 1 }.
 */
export function drawPicture(random, size, background, defect) {
  const cover = defect ? defects[defect](random, size, background) : new Float32Array(size * size);
  for (let i = 0; i < background.length; i++) background[i] += 0.012 * random.normal();
  return { image: Uint8Array.from(background, clampByte), mask: Uint8Array.from(cover, (c) => (c >= 0.5 ? 1 : 0)) };
}

export const drawTexture = (random, size, texture) => textures[texture](random, size);
