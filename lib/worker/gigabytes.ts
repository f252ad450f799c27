/** Writes a number of bytes for people, with one digit after the point, so that two sizes that differ look different. */
export const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
