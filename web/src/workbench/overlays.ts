/** What is drawn over the plan each frame: the current grid, the unit pointed at, what others just changed. */
import { pathOfUnits } from './canvas/outlines';
import type { Overlay } from './canvas/layer';
import { levelAt } from './canvas/shape';
import { type Bench, ERASE } from './tools/types';

const FLASH_MS = 4500;

function stroke(
  context: CanvasRenderingContext2D,
  path: Path2D,
  resolution: number,
  width: number,
  color: string,
): void {
  context.lineJoin = 'round';
  context.lineWidth = (width + 2.6) * resolution;
  context.strokeStyle = 'rgba(255, 255, 255, 0.95)';
  context.stroke(path);
  context.lineWidth = width * resolution;
  context.strokeStyle = color;
  context.stroke(path);
}

export interface Overlays {
  current: Overlay;
  hovered: Overlay;
  flashed: Overlay;
  conflicts: Overlay;
  /** Light up what somebody else changed for a few seconds. */
  flash: (units: readonly number[]) => void;
}

export function createOverlays(bench: Bench): Overlays {
  const { model, scene, ui, canvas } = bench;
  let under = { unit: -1, level: -1, path: new Path2D() };
  let lit: { units: ReadonlySet<number>; until: number }[] = [];

  return {
    current(context, resolution) {
      const { current } = ui.get();
      if (current < 0 || !model.grids[current]?.alive) return;
      stroke(context, scene.outlines.path(current, levelAt(resolution)), resolution, 3, '#1558a6');
    },
    hovered(context, resolution) {
      const { hovered, current, tool } = ui.get();
      if (hovered < 0 || tool === 'boundary' || tool === 'hand') return;
      const level = levelAt(resolution);
      if (under.unit !== hovered || under.level !== level) {
        under = { unit: hovered, level, path: pathOfUnits(scene.shape, new Set([hovered]), level) };
      }
      // the colour it would get, so that the next click holds no surprise
      const owner = model.ownerOf(hovered, bench.level());
      if (
        owner !== current &&
        ((tool === 'paint' && current >= 0) || tool === 'erase' || current === ERASE)
      ) {
        context.globalAlpha = 0.7;
        context.fillStyle = tool === 'erase' || current < 0 ? '#ffffff' : scene.fill(current);
        context.fill(under.path, 'evenodd');
        context.globalAlpha = 1;
      }
      context.lineWidth = 1.8 * resolution;
      context.strokeStyle = '#1d2833';
      context.stroke(under.path);
    },
    flashed(context, resolution) {
      const now = performance.now();
      lit = lit.filter(({ until }) => until > now);
      for (const { units, until } of lit) {
        const path = pathOfUnits(scene.shape, units, levelAt(resolution));
        context.globalAlpha = 0.45 * ((until - now) / FLASH_MS);
        context.fillStyle = '#c2127a';
        context.fill(path, 'evenodd');
        context.globalAlpha = 1;
        stroke(context, path, resolution, 2.4, '#c2127a');
      }
    },
    conflicts(context, resolution) {
      const units = new Set(
        bench.sync.conflicts.filter(({ level }) => level === bench.level()).map(({ unit }) => unit),
      );
      if (units.size === 0) return;
      stroke(context, pathOfUnits(scene.shape, units, levelAt(resolution)), resolution, 3, '#b3181c');
    },
    flash(units) {
      lit.push({ units: new Set(units), until: performance.now() + FLASH_MS });
      const again = (): void => {
        canvas.redraw();
        if (lit.length > 0) window.setTimeout(again, 180);
      };
      again();
    },
  };
}
