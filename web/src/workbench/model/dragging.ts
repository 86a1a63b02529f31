/**
 * Dragging the border between two grids. The line is bent like a rubber band from where it is taken hold of to the
 * pointer; units it passes over change hands where the larger part of them lies beyond it; units it only cuts go where
 * the border then runs along streets, water and walls. Neither grid is broken: what would break one stays.
 */

import { closed } from './actions';
import { staysWhole } from './contiguity';
import { pointToSegment } from './geometry';
import type { BorderDrag, Line, Refusal, XY } from './interface';
import { footOn, sharedArcs } from './outlines';
import { boxOfLine } from './places';
import { linesOfArcs } from './rings';
import { gridLevel, type Level } from './state';
import { nothingSkipped, trials } from './trial';
import { across } from './borders';
import type { Work } from './work';

/** The band is bent so many times as far to either side as it is pulled. */
const REACH = 2.5;
/** So much of that is carried along whole before the bend begins. */
const FLAT = 0.3;
/** Units between these shares beyond the line may go either way. */
const CUT = [0.15, 0.85] as const;
/** A metre of border on a line of the strongest class counts so much less than one across open ground. */
const LEAST_COST = 0.2;
/** Metres a whole wrong side counts for, per square root of the unit's area. */
const MISFIT = 3;
const PASSES = 4;
/** So far along its way the pointer is surely beyond the border. */
const STEP = 0.05;

export function tryDrag(work: Work, a: number, b: number, from: XY, to: XY): BorderDrag {
  const { state } = work;
  const level = state.grids[a] ? gridLevel(state, a) : state.levels[0]!;
  const refuse = (reason: Refusal, drawn: Line = new Float64Array(0)): BorderDrag => ({
    ok: false,
    reason,
    moves: { level: level.level, units: [], to: [] },
    preview: { grids: [], units: [], skipped: nothingSkipped() },
    drawn,
    snapped: [],
  });
  const why = a === b ? 'not_neighbours' : closed(work, a, b);
  if (why) return refuse(why);
  if (state.grids[a]!.community !== state.grids[b]!.community) return refuse('community');
  if (state.grids[a]!.parent !== state.grids[b]!.parent) return refuse('parent');
  const arcs = sharedArcs(state, a, b);
  if (arcs.length === 0) return refuse('not_neighbours');
  const border = nearest(linesOfArcs(state.topology, arcs), from);
  const held = holdOf(border, from);
  const { old, drawn } = bent(border, held, to);
  const passed = passedOver(work, level, a, b, held.at, to);
  const wanted = wantedFlips(work, level, a, b, old, drawn, passed);
  const { flips, trimmed } = keptWhole(work, level, a, b, wanted);
  if (flips.length === 0) return refuse(trimmed > 0 ? 'breaks' : 'nothing', drawn);
  const moves = {
    level: level.level,
    units: flips,
    to: flips.map((unit) => (level.owner[unit] === a ? b : a)),
  };
  return {
    ok: true,
    moves,
    preview: {
      grids: trials(state, work.scratch, moves),
      units: flips,
      skipped: { ...nothingSkipped(), trimmed },
    },
    drawn,
    snapped: newBorder(work, level, a, b, arcs, flips),
  };
}

function nearest(lines: readonly Line[], [x, y]: XY): Line {
  let best = lines[0]!;
  let least = Infinity;
  for (const line of lines) {
    for (let p = 0; p + 3 < line.length; p += 2) {
      const square = pointToSegment(x, y, line[p]!, line[p + 1]!, line[p + 2]!, line[p + 3]!);
      if (square < least) {
        least = square;
        best = line;
      }
    }
  }
  return best;
}

/** The line bent towards `to`, and the line itself with the same number of points. Its ends stay. */
function bent(line: Line, held: Hold, to: XY): { old: Line; drawn: Line } {
  const [dx, dy] = [to[0] - held.at[0], to[1] - held.at[1]];
  const pull = Math.hypot(dx, dy);
  const ring = line[0] === line[line.length - 2] && line[1] === line[line.length - 1];
  const old = dense(line, held.along, Math.max(pull / 4, held.length / 400));
  const drawn = old.points.slice();
  const back = Math.min(ring ? held.length / 2 : held.along, REACH * pull);
  const ahead = Math.min(ring ? held.length / 2 : held.length - held.along, REACH * pull);
  for (let at = 0; at < old.along.length; at += 1) {
    let away = old.along[at]! - held.along;
    if (ring && away > held.length / 2) away -= held.length;
    if (ring && away < -held.length / 2) away += held.length;
    const reach = away < 0 ? back : ahead;
    const share = away === 0 ? 0 : reach > 0 ? Math.min(1, Math.abs(away) / reach) : 1;
    const weight = (1 + Math.cos(Math.PI * Math.max(0, (share - FLAT) / (1 - FLAT)))) / 2;
    drawn[2 * at]! += weight * dx;
    drawn[2 * at + 1]! += weight * dy;
  }
  return { old: old.points, drawn };
}

interface Hold {
  at: XY;
  along: number;
  length: number;
}

/** Place of a line nearest to a point: how far along, and the length of the whole. */
function holdOf(line: Line, [x, y]: XY): Hold {
  let best: XY = [line[0]!, line[1]!];
  let along = 0;
  let length = 0;
  let least = Infinity;
  for (let p = 0; p + 3 < line.length; p += 2) {
    const [ax, ay, bx, by] = [line[p]!, line[p + 1]!, line[p + 2]!, line[p + 3]!];
    const square = pointToSegment(x, y, ax, ay, bx, by);
    if (square < least) {
      least = square;
      best = footOn(x, y, ax, ay, bx, by);
      along = length + Math.hypot(best[0] - ax, best[1] - ay);
    }
    length += Math.hypot(bx - ax, by - ay);
  }
  return { at: best, along, length };
}

/** The line with points no farther apart than `step`, and one at `held`; how far along each is. */
function dense(line: Line, held: number, step: number): { points: Line; along: number[] } {
  const points: number[] = [line[0]!, line[1]!];
  const along = [0];
  let length = 0;
  for (let p = 0; p + 3 < line.length; p += 2) {
    const [ax, ay, bx, by] = [line[p]!, line[p + 1]!, line[p + 2]!, line[p + 3]!];
    const piece = Math.hypot(bx - ax, by - ay);
    if (piece === 0) continue;
    const parts = Math.max(1, Math.ceil(piece / step));
    const stops = Array.from({ length: parts }, (_, k) => (k + 1) / parts);
    const hold = (held - length) / piece;
    if (hold > 0 && hold < 1) stops.push(hold);
    for (const t of [...new Set(stops)].sort((one, two) => one - two)) {
      points.push(ax + t * (bx - ax), ay + t * (by - ay));
      along.push(length + t * piece);
    }
    length += piece;
  }
  return { points: Float64Array.from(points), along };
}

/**
 * Units the pointer itself went over: those it took the border into whose middle it has passed, as near to its way as
 * the unit under it is wide. A short border, or one held near its end, bends too narrowly to cover them by area.
 */
function passedOver(work: Work, level: Level, a: number, b: number, from: XY, to: XY): Set<number> {
  const { topology } = work.state;
  const passed = new Set<number>();
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const square = dx * dx + dy * dy;
  if (square === 0) return passed;
  const ahead = work.places.unitAt(from[0] + STEP * dx, from[1] + STEP * dy);
  const under = work.places.unitAt(to[0], to[1]);
  const ours = (unit: number): boolean => unit >= 0 && (level.owner[unit] === a || level.owner[unit] === b);
  const seen = ours(under) ? under : ahead;
  if (!ours(seen)) return passed;
  const width = Math.sqrt(topology.area[seen]!) / 2;
  const [minx, maxx] = [Math.min(from[0], to[0]) - width, Math.max(from[0], to[0]) + width];
  const [miny, maxy] = [Math.min(from[1], to[1]) - width, Math.max(from[1], to[1]) + width];
  for (const unit of work.places.unitsNear(minx, miny, maxx, maxy)) {
    if (level.owner[unit] !== level.owner[seen]) continue;
    const [x, y] = [topology.point[2 * unit]! - from[0], topology.point[2 * unit + 1]! - from[1]];
    const along = (x * dx + y * dy) / square;
    const aside = Math.abs(x * dy - y * dx) / Math.sqrt(square);
    if (along > 0 && along <= 1 && aside <= width) passed.add(unit);
  }
  return passed;
}

/** Units of either grid that lie beyond the dragged line, those it cuts put where the border is best. */
function wantedFlips(
  work: Work,
  level: Level,
  a: number,
  b: number,
  old: Line,
  drawn: Line,
  passed: ReadonlySet<number>,
): Set<number> {
  const swept = new Float64Array(old.length + drawn.length + 2);
  swept.set(drawn);
  for (let p = old.length - 2, at = drawn.length; p >= 0; p -= 2, at += 2) {
    swept[at] = old[p]!;
    swept[at + 1] = old[p + 1]!;
  }
  swept.set(drawn.subarray(0, 2), swept.length - 2);
  const [minx, miny, maxx, maxy] = boxOfLine(swept);
  const flips = new Set<number>(passed);
  const cut = new Map<number, number>();
  for (const unit of work.places.unitsNear(minx, miny, maxx, maxy)) {
    if (level.owner[unit] !== a && level.owner[unit] !== b) continue;
    const share = work.places.shareIn(unit, swept);
    if (share > 0.5) flips.add(unit);
    if (share > CUT[0] && share < CUT[1] && !passed.has(unit)) cut.set(unit, share);
  }
  settle(work, level, a, b, flips, cut);
  return flips;
}

/** Cut units change sides while that makes the border cheaper: short, on strong lines, near to where it was drawn. */
function settle(
  work: Work,
  level: Level,
  a: number,
  b: number,
  flips: Set<number>,
  cut: Map<number, number>,
): void {
  const { topology, borders } = work.state;
  const strongest = Math.max(1, topology.classes.length - 1);
  const sideOf = (unit: number): number => {
    const own = level.owner[unit]!;
    if (own !== a && own !== b) return -1;
    return flips.has(unit) ? a + b - own : own;
  };
  for (let pass = 0; pass < PASSES; pass += 1) {
    let changed = false;
    for (const [unit, share] of cut) {
      const own = level.owner[unit]!;
      let gain = MISFIT * Math.sqrt(topology.area[unit]!) * (2 * share - 1);
      for (let k = borders.arcStart[unit]!; k < borders.arcStart[unit + 1]!; k += 1) {
        const arc = borders.arcs[k]!;
        const other = across(topology, arc, unit);
        const side = other < 0 ? -1 : sideOf(other);
        if (side < 0) continue;
        const cost = topology.metres[arc]! * (1 - ((1 - LEAST_COST) * topology.arcClass[arc]!) / strongest);
        gain += side === own ? -cost : cost;
      }
      const flip = gain > 0;
      if (flip === flips.has(unit)) continue;
      if (flip) flips.add(unit);
      else flips.delete(unit);
      changed = true;
    }
    if (!changed) break;
  }
}

/** Of the wanted flips those that can be made one after another with both grids whole after each. */
function keptWhole(
  work: Work,
  level: Level,
  a: number,
  b: number,
  wanted: ReadonlySet<number>,
): { flips: number[]; trimmed: number } {
  const { borders } = work.state;
  const done = new Set<number>();
  const side = (unit: number): number => {
    const own = level.owner[unit]!;
    return done.has(unit) ? a + b - own : own;
  };
  const touches = (unit: number, grid: number): boolean => {
    for (let k = borders.start[unit]!; k < borders.start[unit + 1]!; k += 1) {
      if (side(borders.to[k]!) === grid) return true;
    }
    return false;
  };
  let waiting = [...wanted];
  for (;;) {
    const left: number[] = [];
    for (const unit of waiting) {
      const own = level.owner[unit]!;
      if (touches(unit, a + b - own) && staysWhole(borders, unit, (other) => side(other) === own))
        done.add(unit);
      else left.push(unit);
    }
    if (left.length === waiting.length || left.length === 0)
      return { flips: [...done], trimmed: left.length };
    waiting = left;
  }
}

/** The border as it would be: old shared arcs and arcs round flipped units, as far as they part the two then. */
function newBorder(
  work: Work,
  level: Level,
  a: number,
  b: number,
  shared: Int32Array,
  flips: readonly number[],
): Line[] {
  const { topology, borders } = work.state;
  const turned = new Set(flips);
  const side = (unit: number): number => {
    const own = unit < 0 ? -1 : level.owner[unit]!;
    return turned.has(unit) ? a + b - own : own;
  };
  const arcs = new Set<number>(shared);
  for (const unit of flips) {
    for (let k = borders.arcStart[unit]!; k < borders.arcStart[unit + 1]!; k += 1) arcs.add(borders.arcs[k]!);
  }
  const parting = [...arcs].filter((arc) => {
    const [one, two] = [side(topology.arcLeft[arc]!), side(topology.arcRight[arc]!)];
    return (one === a && two === b) || (one === b && two === a);
  });
  return linesOfArcs(topology, parting);
}
