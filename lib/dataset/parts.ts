/** Cuts the images of a type into parts, some of which train. */

/** A share of images: all, the k-th block of `size` images, or `size` of `parts` equal parts from the k-th on. */
export interface Share {
  size: number;
  parts: number | undefined;
  /** Counted from 1. */
  from: number;
}

/** Parses `all`, `N`, `N@k`, `a/b` or `a/b@k`. The schema of the option has checked the text. */
export function parseShare(share: number | string): Share {
  const [size = '', from = '1'] = (share === 'all' ? '1/1' : String(share)).split('@');
  const [a, b] = size.split('/').map(Number) as [number, number | undefined];
  return { size: a, parts: b, from: Number(from) };
}

/**
 * Returns the part of each image, counted from 0. The images are cut into `parts` parts of almost equal size in their
 * order. A group is never cut: all of it belongs to the part that its middle falls into.
 */
export function partsOf(groups: readonly number[], parts: number): number[] {
  const total = groups.length;
  const border = (part: number) => (total < parts ? Math.min(part, total) : Math.floor((part * total) / parts));
  const sizes = new Map<number, number>();
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const partOfGroup = new Map<number, number>();
  let [before, part] = [0, 0];
  for (const [group, size] of sizes) {
    while (part + 1 < parts && before + size / 2 > border(part + 1)) part++;
    partOfGroup.set(group, part);
    before += size;
  }
  return groups.map((group) => partOfGroup.get(group) as number);
}

/** Returns true for the parts of a share: `size` parts from the k-th on. After the last part the first one follows. */
export function isInShare(part: number, { size, parts = 1, from }: Share): boolean {
  return (part - (from - 1) + parts) % parts < size;
}
