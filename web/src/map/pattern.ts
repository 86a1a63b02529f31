/** The hatch of special grids. */
import { mix } from '../core/palette';

const SIZE = 8;

/** One tile of a diagonal hatch in `color` (`#rrggbb`). */
function hatchTile(color: string): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = SIZE;
  canvas.height = SIZE;
  const context = canvas.getContext('2d');
  if (!context) return canvas;
  context.fillStyle = mix(color, '#ffffff', 0.45);
  context.fillRect(0, 0, SIZE, SIZE);
  context.strokeStyle = mix(color, '#3c2f63', 0.25);
  context.lineWidth = 1.4;
  context.beginPath();
  for (const shift of [-SIZE, 0, SIZE]) {
    context.moveTo(shift, SIZE);
    context.lineTo(shift + SIZE, 0);
  }
  context.stroke();
  return canvas;
}

/** The hatch as a canvas fill; the plain colour where patterns are not to be had. */
export function hatch(color: string): CanvasPattern | string {
  const tile = hatchTile(color);
  return tile.getContext('2d')?.createPattern(tile, 'repeat') ?? color;
}
