/** Hooks that load pictures. */
import { useEffect, useState } from 'preact/hooks';
import type { Mask } from './mask.js';

/** A value that is loaded, not there yet (`undefined`), or that could not be loaded (`null`). */
export type Loaded<T> = T | undefined | null;

/** Loads something again whenever `key` changes. Returns undefined while `key` is undefined. */
function useLoaded<T>(key: string | undefined, load: (key: string) => Promise<T>): Loaded<T> {
  const [loaded, setLoaded] = useState<{ key: string; value: T | null }>();
  useEffect(() => {
    if (key === undefined) return undefined;
    let isWanted = true;
    const set = (value: T | null) => isWanted && setLoaded({ key, value });
    load(key).then(set, () => set(null));
    return () => {
      isWanted = false;
    };
  }, [key]);
  return loaded && loaded.key === key ? loaded.value : undefined;
}

async function loadImage(url: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

/** Loads a mask. Levels of at least half of the range are marked. */
async function loadMask(url: string): Promise<Mask> {
  const image = await loadImage(url);
  const { naturalWidth: width, naturalHeight: height } = image;
  const context = new OffscreenCanvas(width, height).getContext('2d') as OffscreenCanvasRenderingContext2D;
  context.drawImage(image, 0, 0);
  const { data: pixels } = context.getImageData(0, 0, width, height);
  const data = Uint8Array.from({ length: width * height }, (_, i) => ((pixels[4 * i] as number) < 128 ? 0 : 255));
  return { data, width, height };
}

export const useImage = (url: string | undefined): Loaded<HTMLImageElement> => useLoaded(url, loadImage);
export const useMask = (url: string | undefined): Loaded<Mask> => useLoaded(url, loadMask);
