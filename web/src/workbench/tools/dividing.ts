/** Dividing a grid along a drawn line, and joining two. */
import { t } from '../../i18n';
import { pathOfUnits } from '../canvas/outlines';
import { levelAt } from '../canvas/shape';
import type { SplitTrial, XY } from '../model';
import { pickUp } from './painting';
import type { Bench, Pointer, Tool } from './types';

const STEP_PX = 5;
const SAMPLES = 40;

/** The grid a line runs through for the longest part. */
export function gridAlong(bench: Pick<Bench, 'model' | 'level'>, line: readonly XY[]): number {
  const votes = new Map<number, number>();
  for (let at = 0; at + 1 < line.length; at += 1) {
    const [ax, ay] = line[at]!;
    const [bx, by] = line[at + 1]!;
    const length = Math.hypot(bx - ax, by - ay);
    for (let step = 0; step < SAMPLES; step += 1) {
      const share = (step + 0.5) / SAMPLES;
      const unit = bench.model.unitAt(ax + (bx - ax) * share, ay + (by - ay) * share);
      const grid = unit < 0 ? -1 : bench.model.ownerOf(unit, bench.level());
      if (grid >= 0) votes.set(grid, (votes.get(grid) ?? 0) + length / SAMPLES);
    }
  }
  let best = -1;
  for (const [grid, metres] of votes) if (best < 0 || metres > (votes.get(best) ?? 0)) best = grid;
  return best;
}

export function splitTool(bench: Bench): Tool {
  const { model, scene, map } = bench;
  let line: XY[] = [];
  let trial: SplitTrial | null = null;
  let side: Path2D | null = null;
  let waiting = 0;
  let drawing = false;

  const resolution = (): number => map.getView().getResolution() ?? 1;

  function clear(): void {
    cancelAnimationFrame(waiting);
    [line, trial, side, drawing] = [[], null, null, false];
    bench.ui.set({ trial: null });
    bench.canvas.redraw();
  }

  function attempt(way: readonly XY[]): void {
    const grid = way.length > 1 ? gridAlong(bench, way) : -1;
    trial = grid >= 0 ? model.trySplit(grid, way) : null;
    side = null;
    if (trial?.ok) {
      const fewer = trial.left.length < trial.right.length ? trial.left : trial.right;
      side = pathOfUnits(scene.shape, new Set(fewer), levelAt(resolution()));
    }
    bench.ui.set({ trial: trial?.ok ? trial.preview : null });
    bench.canvas.redraw();
  }

  function finish(): boolean {
    if (line.length < 2) return false;
    const way = line;
    clear();
    const grid = gridAlong(bench, way);
    if (grid < 0) bench.hint(t('workbench.splitWhere'));
    else if (bench.editable()) {
      const outcome = model.split(grid, way);
      if (bench.did(outcome) && outcome.ok) bench.ui.set({ current: outcome.grid });
    }
    return true;
  }

  return {
    cursor: 'crosshair',
    down(at) {
      drawing = true;
      line.push(at.place);
      attempt(line);
      return true;
    },
    move(at) {
      if (!drawing) return;
      const [x, y] = line[line.length - 1] ?? at.place;
      if (Math.hypot(at.place[0] - x, at.place[1] - y) < STEP_PX * resolution()) return;
      line.push(at.place);
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(() => attempt(line));
    },
    up() {
      drawing = false;
      // drawn in one go: done; clicked corner by corner: Enter or a double click ends it
      if (line.length > 3) finish();
    },
    hover(at: Pointer | null) {
      if (!at || line.length === 0) return;
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(() => attempt([...line, at.place]));
    },
    twice: () => void finish(),
    finish,
    cancel() {
      const had = line.length > 0;
      clear();
      return had;
    },
    space(unit) {
      const { point } = model.topology;
      line.push([point[2 * unit]!, point[2 * unit + 1]!]);
      attempt(line);
      bench.say(t('workbench.corner'));
    },
    overlay(context, pixel) {
      if (side) {
        context.fillStyle = 'rgba(179, 24, 28, 0.28)';
        context.fill(side, 'evenodd');
        context.lineWidth = 2.4 * pixel;
        context.strokeStyle = '#b3181c';
        context.stroke(side);
      }
      if (line.length === 0) return;
      const [ox, oy] = scene.shape.origin;
      context.beginPath();
      for (const [x, y] of line) context.lineTo(x - ox, y - oy);
      context.lineJoin = 'round';
      context.lineWidth = 5 * pixel;
      context.strokeStyle = 'rgba(255, 255, 255, 0.9)';
      context.stroke();
      context.lineWidth = 2.2 * pixel;
      context.strokeStyle = '#1d2833';
      context.stroke();
      for (const [x, y] of line.length < 12 ? line : []) {
        context.beginPath();
        context.arc(x - ox, y - oy, 4 * pixel, 0, Math.PI * 2);
        context.fillStyle = '#fff';
        context.fill();
        context.stroke();
      }
    },
  };
}

/** Click a grid to choose it, then the neighbour that joins it. */
export function mergeTool(bench: Bench): Tool {
  const { model, scene } = bench;
  let under = -1;

  function join(unit: number): void {
    const grid = unit < 0 ? -1 : model.ownerOf(unit, bench.level());
    const { current } = bench.ui.get();
    if (grid < 0) return;
    if (current < 0 || grid === current || !model.grids[current]?.alive) {
      pickUp(bench, unit);
      bench.hint(t('workbench.mergeNext', { name: bench.longName(grid) }));
    } else if (bench.editable()) bench.did(model.merge(current, grid));
  }

  return {
    cursor: 'pointer',
    down(at) {
      if (at.unit < 0) return false;
      join(at.unit);
      return true;
    },
    hover(at) {
      const grid = at && at.unit >= 0 ? model.ownerOf(at.unit, bench.level()) : -1;
      if (grid === under) return;
      under = grid;
      const { current } = bench.ui.get();
      const joins = grid >= 0 && current >= 0 && grid !== current;
      bench.ui.set({ trial: joins ? model.preview([...model.unitsOf(grid)], current, bench.level()) : null });
      bench.canvas.redraw();
    },
    space: join,
    cancel() {
      under = -1;
      bench.ui.set({ trial: null });
      return false;
    },
    overlay(context, pixel) {
      if (under < 0 || under === bench.ui.get().current) return;
      const path = scene.outlines.path(under, levelAt(pixel));
      context.fillStyle = 'rgba(21, 88, 166, 0.24)';
      context.fill(path, 'evenodd');
      context.lineWidth = 3 * pixel;
      context.strokeStyle = '#1558a6';
      context.stroke(path);
    },
  };
}
