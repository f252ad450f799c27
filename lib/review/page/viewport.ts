/** Says which part of a picture a view shows. */

export interface Size {
  width: number;
  height: number;
}

/** What a view shows, whatever its size, so that views of different sizes can show the same part of a picture. */
export interface Viewport {
  /** 1 shows the whole picture. */
  zoom: number;
  /** The point in the middle of the view, as shares of the picture's width and height. */
  x: number;
  y: number;
}

export const WHOLE: Viewport = { zoom: 1, x: 0.5, y: 0.5 };

/** The pixel (x, y) of a picture is at (left + scale * x, top + scale * y) of the view. */
export interface Transform {
  scale: number;
  left: number;
  top: number;
}

/** The largest zoom shows this number of pixels along the longer side of a picture. */
const FEWEST_PIXELS = 8;

function inRange(zoom: number, { width, height }: Size): number {
  return Math.min(Math.max(zoom, 1), Math.max(Math.max(width, height) / FEWEST_PIXELS, 1));
}

/** Returns where the picture is in the view. It leaves no margin where it is larger than the view. */
export function transformOf({ zoom, x, y }: Viewport, picture: Size, view: Size): Transform {
  const scale = zoom * Math.min(view.width / picture.width, view.height / picture.height);
  const place = (middle: number, length: number, available: number) =>
    length <= available
      ? (available - length) / 2
      : Math.min(Math.max(available / 2 - middle * length, available - length), 0);
  return {
    scale,
    left: place(x, scale * picture.width, view.width),
    top: place(y, scale * picture.height, view.height),
  };
}

/** Returns the viewport that shows a picture as the transform does. */
const viewportOf = (zoom: number, { scale, left, top }: Transform, picture: Size, view: Size): Viewport => ({
  zoom,
  x: (view.width / 2 - left) / (scale * picture.width),
  y: (view.height / 2 - top) / (scale * picture.height),
});

/** Zooms by `factor` around the middle. */
export const zoomed = (viewport: Viewport, factor: number, picture: Size): Viewport => ({
  ...viewport,
  zoom: inRange(factor * viewport.zoom, picture),
});

/** Zooms by `factor`, so that what is at (x, y) of the view stays there. */
export function zoomedAt(
  viewport: Viewport,
  factor: number,
  x: number,
  y: number,
  picture: Size,
  view: Size,
): Viewport {
  const { scale, left, top } = transformOf(viewport, picture, view);
  const zoom = inRange(factor * viewport.zoom, picture);
  const change = zoom / viewport.zoom;
  const moved = { scale: change * scale, left: x - change * (x - left), top: y - change * (y - top) };
  return viewportOf(zoom, moved, picture, view);
}

/** Moves the picture by (dx, dy) pixels of the view. */
export function panned(viewport: Viewport, dx: number, dy: number, picture: Size, view: Size): Viewport {
  const { scale, left, top } = transformOf(viewport, picture, view);
  return viewportOf(viewport.zoom, { scale, left: left + dx, top: top + dy }, picture, view);
}

/** Moves the picture as little as possible, so that its pixel (x, y) is inside of the view. */
export function revealed(viewport: Viewport, x: number, y: number, picture: Size, view: Size): Viewport {
  const { scale, left, top } = transformOf(viewport, picture, view);
  const shift = (at: number, length: number) => {
    const margin = Math.min(24, length / 4);
    return Math.min(Math.max(at, margin), length - margin) - at;
  };
  const [dx, dy] = [shift(left + scale * x, view.width), shift(top + scale * y, view.height)];
  return dx === 0 && dy === 0 ? viewport : panned(viewport, dx, dy, picture, view);
}

/** The share of the view that a box covers after {@link zoomedTo}. */
const BOX_SHARE = 0.5;

/** Returns the viewport with a box of the picture in its middle. */
export function zoomedTo(box: Size & { left: number; top: number }, picture: Size): Viewport {
  const zoom = BOX_SHARE * Math.min(picture.width / box.width, picture.height / box.height);
  return {
    zoom: inRange(zoom, picture),
    x: (box.left + box.width / 2) / picture.width,
    y: (box.top + box.height / 2) / picture.height,
  };
}
