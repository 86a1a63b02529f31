/**
 * A picture of a part of the map that is larger than the view: moved while the map is panned, painted anew only where
 * it must be. Places are local metres; the sheet's corner lies on whole pixels of its own scale.
 */
export type Box = readonly [number, number, number, number];

export interface View {
  /** Local place of the middle of the window. */
  x: number;
  y: number;
  resolution: number;
  /** CSS pixels. */
  width: number;
  height: number;
  ratio: number;
}

export interface Sheet {
  canvas: HTMLCanvasElement;
  context: CanvasRenderingContext2D;
  left: number;
  top: number;
  resolution: number;
  ratio: number;
}

/** The part a sheet shows beyond each edge of the window, as a share of it. */
const MARGIN = 0.22;

/** Metres of one device pixel. */
export const pixelOf = (sheet: Pick<Sheet, 'resolution' | 'ratio'>): number => sheet.resolution / sheet.ratio;

export const boxOf = (sheet: Sheet): Box => [
  sheet.left,
  sheet.top - sheet.canvas.height * pixelOf(sheet),
  sheet.left + sheet.canvas.width * pixelOf(sheet),
  sheet.top,
];

export const boxOfView = (view: View): Box => [
  view.x - (view.width / 2) * view.resolution,
  view.y - (view.height / 2) * view.resolution,
  view.x + (view.width / 2) * view.resolution,
  view.y + (view.height / 2) * view.resolution,
];

export const meets = (a: Box, b: Box): boolean =>
  a[0] <= b[2] && a[2] >= b[0] && a[1] <= b[3] && a[3] >= b[1];
export const holds = (outer: Box, inner: Box): boolean =>
  outer[0] <= inner[0] && outer[1] <= inner[1] && outer[2] >= inner[2] && outer[3] >= inner[3];

function blank(width: number, height: number): [HTMLCanvasElement, CanvasRenderingContext2D] {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (!context) throw new Error('this browser draws no canvas');
  return [canvas, context];
}

/** An empty sheet around a view. */
export function sheetFor(view: View): Sheet {
  const width = Math.ceil(view.width * (1 + 2 * MARGIN) * view.ratio);
  const height = Math.ceil(view.height * (1 + 2 * MARGIN) * view.ratio);
  const [canvas, context] = blank(width, height);
  const pixel = view.resolution / view.ratio;
  return {
    canvas,
    context,
    left: Math.round((view.x - (width / 2) * pixel) / pixel) * pixel,
    top: Math.round((view.y + (height / 2) * pixel) / pixel) * pixel,
    resolution: view.resolution,
    ratio: view.ratio,
  };
}

/** The sheet moved around a view of the same scale, and the boxes that are still to be painted. */
export function moved(sheet: Sheet, view: View): { sheet: Sheet; open: Box[] } {
  const next = sheetFor(view);
  const pixel = pixelOf(sheet);
  const right = Math.round((sheet.left - next.left) / pixel);
  const down = Math.round((next.top - sheet.top) / pixel);
  next.left = sheet.left - right * pixel;
  next.top = sheet.top + down * pixel;
  next.context.drawImage(sheet.canvas, right, down);
  const [x0, y0, x1, y1] = boxOf(next);
  const old = boxOf(sheet);
  if (!meets(old, [x0, y0, x1, y1])) return { sheet: next, open: [[x0, y0, x1, y1]] };
  const open: Box[] = [];
  if (old[0] > x0) open.push([x0, y0, old[0], y1]);
  if (old[2] < x1) open.push([old[2], y0, x1, y1]);
  const [mid0, mid1] = [Math.max(x0, old[0]), Math.min(x1, old[2])];
  if (old[1] > y0) open.push([mid0, y0, mid1, old[1]]);
  if (old[3] < y1) open.push([mid0, old[3], mid1, y1]);
  return { sheet: next, open };
}

/** Let `context` take local metres, and give the width of one CSS pixel in them. */
export function toLocal(
  context: CanvasRenderingContext2D,
  at: Pick<Sheet, 'left' | 'top' | 'resolution' | 'ratio'>,
): void {
  const scale = at.ratio / at.resolution;
  context.setTransform(scale, 0, 0, -scale, -at.left * scale, at.top * scale);
}

/** Paint inside `box` only, on whole device pixels; `run` gets the box it must fill. */
export function within(sheet: Sheet, box: Box, run: (box: Box) => void): void {
  const pixel = pixelOf(sheet);
  const x0 = Math.max(0, Math.floor((box[0] - sheet.left) / pixel));
  const x1 = Math.min(sheet.canvas.width, Math.ceil((box[2] - sheet.left) / pixel));
  const y0 = Math.max(0, Math.floor((sheet.top - box[3]) / pixel));
  const y1 = Math.min(sheet.canvas.height, Math.ceil((sheet.top - box[1]) / pixel));
  if (x1 <= x0 || y1 <= y0) return;
  const { context } = sheet;
  context.save();
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.beginPath();
  context.rect(x0, y0, x1 - x0, y1 - y0);
  context.clip();
  context.clearRect(x0, y0, x1 - x0, y1 - y0);
  run([sheet.left + x0 * pixel, sheet.top - y1 * pixel, sheet.left + x1 * pixel, sheet.top - y0 * pixel]);
  context.restore();
}
