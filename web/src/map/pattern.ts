/** Hatches: of special grids, of places that cannot be assessed, of blind spots. */
import { mix } from '../core/palette';

const SIZE = 8;

function tile(ground: string | null, line: string, width: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = SIZE;
  canvas.height = SIZE;
  const context = canvas.getContext('2d');
  if (!context) return canvas;
  if (ground) {
    context.fillStyle = ground;
    context.fillRect(0, 0, SIZE, SIZE);
  }
  context.strokeStyle = line;
  context.lineWidth = width;
  context.beginPath();
  for (const shift of [-SIZE, 0, SIZE]) {
    context.moveTo(shift, SIZE);
    context.lineTo(shift + SIZE, 0);
  }
  context.stroke();
  return canvas;
}

const repeated = (canvas: HTMLCanvasElement, otherwise: string): CanvasPattern | string =>
  canvas.getContext('2d')?.createPattern(canvas, 'repeat') ?? otherwise;

/** A diagonal hatch on a pale ground of `color` (`#rrggbb`); the plain colour where patterns are not to be had. */
export const hatch = (color: string): CanvasPattern | string =>
  repeated(tile(mix(color, '#ffffff', 0.45), mix(color, '#3c2f63', 0.25), 1.4), color);

/** A diagonal hatch through which the ground is seen. */
export const openHatch = (color: string): CanvasPattern | string =>
  repeated(tile(null, `${color}c0`, 1.1), `${color}33`);
