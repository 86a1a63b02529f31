/** Tools that give units to the current grid by touching them: brush, eraser, compound, and the picker. */
import { t } from '../../i18n';
import { pathOfUnits } from '../canvas/outlines';
import { levelAt } from '../canvas/shape';
import { type Bench, ERASE, type Pointer, type Tool } from './types';

/** The grid painted with (null: none, to erase), or undefined after saying that none is chosen. */
export function target(bench: Bench): number | null | undefined {
  if (!bench.editable()) return undefined;
  const { current } = bench.ui.get();
  if (current === ERASE) return null;
  if (current >= 0 && bench.model.grids[current]?.alive) return current;
  bench.hint(t('workbench.chooseFirst'));
  return undefined;
}

/** Units the brush touches from the place before to this one. */
function touched({ model, ui, map }: Bench, from: Pointer | null, at: Pointer): readonly number[] {
  const { brush } = ui.get();
  const resolution = map.getView().getResolution() ?? 1;
  if (brush > 0) return model.unitsAlong(from ? [from.place, at.place] : [at.place], brush * resolution);
  const found = new Set<number>();
  const steps = from ? Math.ceil(Math.hypot(at.px - from.px, at.py - from.py) / 3) : 1;
  for (let step = 1; step <= Math.max(1, steps); step += 1) {
    const share = from ? step / Math.max(1, steps) : 1;
    const before = from?.place ?? at.place;
    const unit = model.unitAt(
      before[0] + (at.place[0] - before[0]) * share,
      before[1] + (at.place[1] - before[1]) * share,
    );
    if (unit >= 0) found.add(unit);
  }
  return [...found];
}

function circle(bench: Bench, place: () => Pointer | null): Tool['overlay'] {
  return (context, resolution) => {
    const at = place();
    const { brush } = bench.ui.get();
    if (!at || brush <= 0) return;
    context.beginPath();
    context.arc(at.x, at.y, brush * resolution, 0, Math.PI * 2);
    context.lineWidth = 3 * resolution;
    context.strokeStyle = 'rgba(255, 255, 255, 0.9)';
    context.stroke();
    context.lineWidth = 1.4 * resolution;
    context.strokeStyle = '#1d2833';
    context.stroke();
  };
}

/** Pick the grid under the pointer up as the one to paint with. */
export function pickUp(bench: Bench, unit: number): void {
  const grid = unit < 0 ? -1 : bench.model.ownerOf(unit, bench.level());
  if (grid < 0) return;
  bench.ui.set({ current: grid });
  bench.say(t('workbench.picked', { name: bench.longName(grid) }));
}

/** Paint while the button is down. A stroke that begins on no chosen grid picks up the one under it. */
export function brushTool(bench: Bench, erase: boolean): Tool {
  let at: Pointer | null = null;
  let last: Pointer | null = null;
  let open = false;
  let told = false;
  const put = (place: Pointer, to: number | null): void => {
    const owner = bench.model.owners(bench.level());
    const units = touched(bench, last, place).filter((unit) => owner[unit] !== (to ?? -1));
    last = place;
    if (units.length === 0) return;
    const outcome = bench.model.assign(units, to, bench.level());
    // a stroke over a locked grid says so once
    if (!told && (!outcome.ok || outcome.skipped.locked + outcome.skipped.community > 0)) {
      told = true;
      bench.did(outcome);
    }
  };
  return {
    cursor: 'crosshair',
    down(place) {
      at = place;
      if (!erase && (place.alt || bench.ui.get().current === -1)) {
        pickUp(bench, place.unit);
        return true;
      }
      const to = erase ? (bench.editable() ? null : undefined) : target(bench);
      if (to === undefined) return true;
      bench.model.begin(to === null ? 'unassign' : 'assign');
      [open, told, last] = [true, false, null];
      put(place, to);
      return true;
    },
    move(place) {
      at = place;
      if (open) put(place, erase || bench.ui.get().current < 0 ? null : bench.ui.get().current);
      else bench.canvas.redraw();
    },
    up() {
      if (open) bench.model.commit();
      [open, last] = [false, null];
    },
    hover(place) {
      at = place;
      if (bench.ui.get().brush > 0) bench.canvas.redraw();
    },
    cancel() {
      if (!open) return false;
      [open, last] = [false, null];
      bench.model.cancel();
      return true;
    },
    space(unit) {
      const to = erase ? (bench.editable() ? null : undefined) : target(bench);
      if (to !== undefined) bench.did(bench.model.assign([unit], to, bench.level()));
    },
    overlay: circle(bench, () => at),
  };
}

export function compoundTool(bench: Bench): Tool {
  let shown: ReadonlySet<number> = new Set();
  let path: Path2D | null = null;
  let from = -1;
  const compoundOf = (unit: number): number[] =>
    (bench.model.topology.compound[unit] ?? -1) < 0 ? [unit] : bench.model.unitsOfCompound(unit);
  return {
    cursor: 'cell',
    down(place) {
      if (place.unit < 0) return false;
      if (place.alt || bench.ui.get().current === -1) {
        pickUp(bench, place.unit);
        return true;
      }
      const to = target(bench);
      if (to !== undefined) bench.did(bench.model.assign(compoundOf(place.unit), to, bench.level()));
      return true;
    },
    space(unit) {
      const to = target(bench);
      if (to !== undefined) bench.did(bench.model.assign(compoundOf(unit), to, bench.level()));
    },
    hover(place) {
      const unit = place?.unit ?? -1;
      if (unit === from) return;
      from = unit;
      shown = new Set(unit < 0 ? [] : compoundOf(unit));
      path =
        shown.size > 0
          ? pathOfUnits(bench.scene.shape, shown, levelAt(bench.map.getView().getResolution() ?? 1))
          : null;
      bench.canvas.redraw();
    },
    overlay(context, resolution) {
      if (!path) return;
      context.fillStyle = 'rgba(21, 88, 166, 0.18)';
      context.fill(path, 'evenodd');
      context.lineWidth = 2.4 * resolution;
      context.strokeStyle = '#1558a6';
      context.stroke(path);
    },
  };
}

export function pickTool(bench: Bench): Tool {
  return {
    cursor: 'copy',
    down(place) {
      pickUp(bench, place.unit);
      bench.take('paint');
      return true;
    },
    space(unit) {
      pickUp(bench, unit);
      bench.take('paint');
    },
  };
}

export const handTool: Tool = { cursor: 'grab', down: () => false };
