import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { chunk } from './png-tiff.js';

/** Returns the colour profile of Display P3, which phones write into their photographs. */
export async function displayP3(): Promise<Buffer> {
  const pixel = sharp({ create: { width: 1, height: 1, channels: 3, background: '#888' } });
  const { icc } = await sharp(await pixel.withIccProfile('p3').png().toBuffer()).metadata();
  return icc as Buffer;
}

/** Adds the profile to a PNG file and leaves its numbers as they are. */
export async function taggedPng(file: Buffer): Promise<Buffer> {
  const profile = Buffer.concat([Buffer.from('p3\0\0', 'latin1'), deflateSync(await displayP3())]);
  const headerEnd = 33;
  return Buffer.concat([file.subarray(0, headerEnd), chunk('iCCP', profile), file.subarray(headerEnd)]);
}

/** Adds the profile to a JPEG file and leaves its numbers as they are. */
export async function taggedJpeg(file: Buffer): Promise<Buffer> {
  const profile = await displayP3();
  const name = Buffer.from('ICC_PROFILE\0\x01\x01', 'latin1');
  const head = Buffer.from([0xff, 0xe2, 0, 0]);
  head.writeUInt16BE(2 + name.length + profile.length, 2);
  return Buffer.concat([file.subarray(0, 2), head, name, profile, file.subarray(2)]);
}
