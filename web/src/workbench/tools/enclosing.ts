/** Tools that give all units inside a drawn shape to the current grid: lasso and rectangle. */
import { t } from '../../i18n';
import { pickUp, target } from './painting';
import type { XY } from '../model';
import type { Bench, Pointer, Tool } from './types';

const STEP_PX = 4;

const corners = (a: XY, b: XY): XY[] => [
  [a[0], a[1]],
  [b[0], a[1]],
  [b[0], b[1]],
  [a[0], b[1]],
];

export function enclosingTool(bench: Bench, kind: 'lasso' | 'rectangle'): Tool {
  let ring: XY[] = [];
  let from: Pointer | null = null;
  const done = (): void => {
    ring = [];
    from = null;
    bench.canvas.redraw();
  };
  const give = (shape: readonly XY[], unit: number): void => {
    const to = target(bench);
    if (to === undefined) return;
    const [ox, oy] = bench.scene.shape.origin;
    const world = shape.map(([x, y]): XY => [x + ox, y + oy]);
    const units = shape.length > 2 ? bench.model.unitsIn(world, 'point') : unit >= 0 ? [unit] : [];
    if (units.length === 0) bench.hint(t('workbench.nothingInside'));
    else bench.did(bench.model.assign(units, to, bench.level()));
  };
  return {
    cursor: 'crosshair',
    down(place) {
      if (place.alt || bench.ui.get().current === -1) {
        pickUp(bench, place.unit);
        return true;
      }
      from = place;
      ring = [[place.x, place.y]];
      return true;
    },
    move(place) {
      if (!from) return;
      if (kind === 'rectangle') {
        ring = corners([from.x, from.y], [place.x, place.y]);
      } else {
        const [x, y] = ring[ring.length - 1]!;
        const step = STEP_PX * (bench.map.getView().getResolution() ?? 1);
        if (Math.hypot(place.x - x, place.y - y) > step) ring.push([place.x, place.y]);
      }
      bench.canvas.redraw();
    },
    up(place) {
      const shape = ring;
      if (!from) return;
      done();
      give(shape, place.unit);
    },
    space(unit) {
      const { point } = bench.model.topology;
      const [ox, oy] = bench.scene.shape.origin;
      const x = point[2 * unit]! - ox;
      const y = point[2 * unit + 1]! - oy;
      const [first] = ring;
      if (kind === 'rectangle' && first) {
        done();
        give(corners(first, [x, y]), unit);
      } else ring.push([x, y]);
      bench.canvas.redraw();
      bench.say(t('workbench.corner'));
    },
    finish() {
      if (ring.length < 3) return false;
      const shape = ring;
      done();
      give(shape, -1);
      return true;
    },
    cancel() {
      const had = ring.length > 0;
      done();
      return had;
    },
    overlay(context, resolution) {
      if (ring.length < 2) return;
      context.beginPath();
      ring.forEach(([x, y], at) => (at === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
      context.closePath();
      context.fillStyle = 'rgba(21, 88, 166, 0.12)';
      context.fill();
      context.lineWidth = 1.6 * resolution;
      context.setLineDash([6 * resolution, 4 * resolution]);
      context.strokeStyle = '#1558a6';
      context.stroke();
    },
  };
}
