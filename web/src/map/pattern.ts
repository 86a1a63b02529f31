/** The hatch of special grids. */
import * as theme from './theme';

let hatch: CanvasPattern | string | null = null;

/** Diagonal hatch as a canvas fill; a plain tone where patterns are not to be had. */
export function specialFill(): CanvasPattern | string {
  if (hatch) return hatch;
  const size = 8;
  const canvas = document.createElement('canvas');
  canvas.width = size;
  canvas.height = size;
  const context = canvas.getContext('2d');
  if (!context) return theme.SPECIAL_GROUND;
  context.fillStyle = theme.SPECIAL_GROUND;
  context.fillRect(0, 0, size, size);
  context.strokeStyle = theme.SPECIAL_LINE;
  context.lineWidth = 1.4;
  context.beginPath();
  for (const shift of [-size, 0, size]) {
    context.moveTo(shift, size);
    context.lineTo(shift + size, 0);
  }
  context.stroke();
  hatch = context.createPattern(canvas, 'repeat') ?? theme.SPECIAL_GROUND;
  return hatch;
}
