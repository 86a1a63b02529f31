/** Cutting a grid along a line, unit by unit: each goes to the side that holds the larger part of it. */

import { closed } from './actions';
import { piecesOf } from './contiguity';
import { crossesItself } from './geometry';
import type { Line, Refusal, SplitTrial, XY } from './interface';
import { boxOfLine } from './places';
import { unitsOf } from './state';
import { nothingSkipped, trials } from './trial';
import type { Work } from './work';

const ARC_POINTS = 24;

export function trySplit(work: Work, grid: number, line: readonly XY[]): SplitTrial {
  const refuse = (reason: Refusal): SplitTrial => ({
    ok: false,
    reason,
    left: [],
    right: [],
    preview: { grids: [], units: [], skipped: nothingSkipped() },
  });
  const why = closed(work, grid);
  if (why) return refuse(why);
  const units = unitsOf(work.state, grid);
  const box = work.places.boxOfUnits(units);
  const region = box && leftOf(line, box);
  if (!region) return refuse('line');
  let left: number[] = [];
  let right: number[] = [];
  for (const unit of units) (work.places.mostlyIn(unit, region) ? left : right).push(unit);
  if (left.length === 0 || right.length === 0) return refuse('one_side');
  [left, right] = tidied(work, left, right, units.length);
  if (left.length === 0 || right.length === 0) return refuse('breaks');
  return { ok: true, left, right, preview: shown(work, grid, left, right) };
}

/** Figures of both sides: the larger as the grid, the smaller as the grid it will be (number −1 till then). */
function shown(work: Work, grid: number, left: number[], right: number[]): SplitTrial['preview'] {
  const { state } = work;
  const homes = (units: number[]): number =>
    units.reduce((sum, unit) => sum + state.topology.households[unit]!, 0);
  const off = homes(left) >= homes(right) ? right : left;
  const keep = off === right ? left : right;
  const { level } = state.grids[grid]!;
  const as = (units: number[]): SplitTrial['preview']['grids'][number] =>
    trials(state, work.scratch, { level, units, to: units.map(() => -1) }).find((one) => one.grid === grid)!;
  // what is left of the grid when one side is taken away is the other side
  const made = as(keep);
  return {
    grids: [as(off), { ...made, grid: -1, before: { ...made.after, ...EMPTY } }],
    units: off,
    skipped: nothingSkipped(),
  };
}

const EMPTY = {
  units: 0,
  households: 0,
  population: 0,
  elderly: 0,
  priority: 0,
  components: 0,
  reportsPerMonth: 0,
  area: 0,
  perimeter: 0,
  compactness: 0,
};

/** Pieces a crooked outline leaves on the wrong side of the line join the side they touch. */
function tidied(work: Work, left: number[], right: number[], all: number): [number[], number[]] {
  const { borders, topology } = work.state;
  const homes = (units: number[]): number => units.reduce((sum, unit) => sum + topology.households[unit]!, 0);
  const sorted = (units: number[]): number[][] =>
    piecesOf(borders, work.scratch, units).sort(
      (one, two) => homes(two) - homes(one) || two.length - one.length,
    );
  if (piecesOf(borders, work.scratch, [...left, ...right]).length > 1) return [left, right];
  let [mine, theirs] = [left, right];
  for (let round = 0; round < all; round += 1) {
    const [one, ...strays] = sorted(mine);
    const [two, ...others] = sorted([...theirs, ...strays.flat()]);
    mine = [...one!, ...others.flat()];
    theirs = two!;
    if (others.length === 0 || piecesOf(borders, work.scratch, mine).length === 1) break;
  }
  return [mine, theirs];
}

/** The region to the left of a line carried on straight at both ends, as a closed ring; null for no such line. */
export function leftOf(line: readonly XY[], box: readonly [number, number, number, number]): Line | null {
  const points = line.filter(([x, y], at) => at === 0 || x !== line[at - 1]![0] || y !== line[at - 1]![1]);
  if (points.length < 2 || points.some(([x, y]) => !Number.isFinite(x) || !Number.isFinite(y))) return null;
  const cx = (box[0] + box[2]) / 2;
  const cy = (box[1] + box[3]) / 2;
  const drawn = boxOfLine(Float64Array.from(points.flat()));
  const spread = Math.hypot(
    Math.max(drawn[2], box[2]) - Math.min(drawn[0], box[0]),
    Math.max(drawn[3], box[3]) - Math.min(drawn[1], box[1]),
  );
  const radius = 4 * spread + 1;
  const out = (from: XY, through: XY): XY => onCircle(from, through, cx, cy, radius);
  const start = out(points[1]!, points[0]!);
  const end = out(points.at(-2)!, points.at(-1)!);
  const whole = [start, ...points, end];
  if (crossesItself(whole)) return null;
  const from = Math.atan2(end[1] - cy, end[0] - cx);
  let sweep = Math.atan2(start[1] - cy, start[0] - cx) - from;
  if (sweep <= 0) sweep += 2 * Math.PI;
  for (let k = 1; k < ARC_POINTS; k += 1) {
    const angle = from + (sweep * k) / ARC_POINTS;
    whole.push([cx + radius * Math.cos(angle), cy + radius * Math.sin(angle)]);
  }
  whole.push(start);
  return Float64Array.from(whole.flat());
}

/** Where the ray from `from` through `through` leaves a circle that holds both. */
function onCircle(from: XY, through: XY, cx: number, cy: number, radius: number): XY {
  const length = Math.hypot(through[0] - from[0], through[1] - from[1]);
  const dx = (through[0] - from[0]) / length;
  const dy = (through[1] - from[1]) / length;
  const px = through[0] - cx;
  const py = through[1] - cy;
  const along = px * dx + py * dy;
  const t = -along + Math.sqrt(along * along - (px * px + py * py - radius * radius));
  return [through[0] + t * dx, through[1] + t * dy];
}
