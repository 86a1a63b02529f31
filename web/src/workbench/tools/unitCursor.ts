/** Work without a mouse: a cursor that steps from unit to unit, told to screen readers. */
import { t } from '../../i18n';
import { pathOfUnits } from '../canvas/outlines';
import { levelAt } from '../canvas/shape';
import type { Overlay } from '../canvas/layer';
import { pickUp } from './painting';
import type { Bench, Tool } from './types';

const WAYS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

/** How far off its way a neighbour may lie before it counts as another way: about 63°. */
const NARROW = 0.45;

/** The next unit in a direction: a neighbour where one lies that way, else the nearest unit at all. */
export function nextUnit(
  { topology, borders }: Bench['model'],
  from: number,
  [dx, dy]: readonly [number, number],
): number {
  const { point } = topology;
  const [x, y] = [point[2 * from]!, point[2 * from + 1]!];
  const worth = (unit: number): number => {
    const ex = point[2 * unit]! - x;
    const ey = point[2 * unit + 1]! - y;
    const gap = Math.hypot(ex, ey) || 1;
    const along = (ex * dx + ey * dy) / gap;
    return along < NARROW ? Infinity : gap / along ** 2;
  };
  let best = -1;
  let least = Infinity;
  const look = (unit: number): void => {
    const value = unit === from ? Infinity : worth(unit);
    if (value < least) [best, least] = [unit, value];
  };
  for (let k = borders.start[from]!; k < borders.start[from + 1]!; k += 1) look(borders.to[k]!);
  if (best < 0) for (let unit = 0; unit < topology.unitIds.length; unit += 1) look(unit);
  return best;
}

export interface UnitCursor {
  /** True when the key was the cursor's. */
  key(event: KeyboardEvent): boolean;
  overlay: Overlay;
}

export function createUnitCursor(bench: Bench, host: HTMLElement, tool: () => Tool): UnitCursor {
  const { model, scene, map, ui } = bench;

  function tell(unit: number): void {
    const grid = model.ownerOf(unit, bench.level());
    bench.say(
      t('workbench.cursorAt', {
        unit: model.topology.unitIds[unit] ?? '',
        grid: grid < 0 ? t('workbench.noGrid') : bench.longName(grid),
        households: model.topology.households[unit] ?? 0,
      }),
    );
  }

  /** Keep the cursor in sight. */
  function follow(unit: number): void {
    const { point } = model.topology;
    const at = [point[2 * unit]!, point[2 * unit + 1]!];
    const pixel = map.getPixelFromCoordinate(at);
    const [width, height] = map.getSize() ?? [0, 0];
    const edge = 80;
    if (
      !pixel ||
      pixel[0]! < edge ||
      pixel[1]! < edge ||
      pixel[0]! > width! - edge ||
      pixel[1]! > height! - edge
    ) {
      map.getView().setCenter(at);
    }
  }

  function put(unit: number): void {
    if (unit < 0) return;
    host.classList.add('has-cursor');
    ui.set({ cursor: unit, hovered: unit });
    follow(unit);
    tell(unit);
    bench.canvas.redraw();
  }

  function first(): number {
    const at = map.getView().getCenter() ?? [0, 0];
    const under = model.unitAt(at[0]!, at[1]!);
    if (under >= 0) return under;
    const { point } = model.topology;
    let best = -1;
    let least = Infinity;
    for (let unit = 0; unit < model.unitCount; unit += 1) {
      const off = Math.hypot(point[2 * unit]! - at[0]!, point[2 * unit + 1]! - at[1]!);
      if (off < least) [best, least] = [unit, off];
    }
    return best;
  }

  /** The grid before or after the current one, in order of codes. */
  function turn(step: 1 | -1): void {
    const grids = model.gridsOf(bench.level());
    if (grids.length === 0) return;
    const at = grids.indexOf(ui.get().current);
    const grid =
      grids[(at < 0 ? (step > 0 ? 0 : -1) : at + step + grids.length) % grids.length] ?? grids.at(-1)!;
    ui.set({ current: grid });
    bench.say(t('workbench.picked', { name: bench.longName(grid) }));
  }

  host.addEventListener('pointerdown', () => {
    if (ui.get().cursor < 0) return;
    ui.set({ cursor: -1 });
    host.classList.remove('has-cursor');
    bench.canvas.redraw();
  });

  return {
    key(event) {
      const way = WAYS[event.key];
      const { cursor } = ui.get();
      if (way && !event.ctrlKey && !event.metaKey && !event.altKey) {
        put(cursor < 0 ? first() : nextUnit(model, cursor, way));
        return true;
      }
      if (event.key === '[' || event.key === ']') {
        turn(event.key === ']' ? 1 : -1);
        return true;
      }
      if (event.key === ' ' && cursor >= 0) {
        tool().space?.(cursor);
        return true;
      }
      if (event.key === 'Enter') {
        if (tool().finish?.()) return true;
        if (cursor >= 0) pickUp(bench, cursor);
        return cursor >= 0;
      }
      return false;
    },
    overlay(context, resolution) {
      const { cursor } = ui.get();
      if (cursor < 0) return;
      const path = pathOfUnits(scene.shape, new Set([cursor]), levelAt(resolution));
      context.lineJoin = 'round';
      context.lineWidth = 6 * resolution;
      context.strokeStyle = '#ffffff';
      context.stroke(path);
      context.lineWidth = 3.4 * resolution;
      context.strokeStyle = '#c2127a';
      context.stroke(path);
    },
  };
}
