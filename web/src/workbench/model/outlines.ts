/** Lines of the plan: rings of grids, kept until they change, borders between grids, the border under the pointer. */

import { across } from './borders';
import { pointToSegment } from './geometry';
import type { Line, Ring, XY } from './interface';
import { linesOfArcs, polygonsOfRings, ringsOfWalk } from './rings';
import { eachUnit, gridLevel, levelOf, SUMS, Sum, takeMarks, type Level, type State } from './state';
import type { Work } from './work';

export interface Outlines {
  ringsOf(grid: number): readonly Ring[];
  polygonsOf(grid: number): readonly (readonly Line[])[];
}

/** Kept rings of grids; only grids whose units moved since are strung anew, and only when asked for. */
export function outlinesOf(state: State): Outlines {
  const rings = new Map<number, Ring[]>();
  const polygons = new Map<number, Line[][]>();
  const refresh = (): void => {
    for (const grid of takeMarks(state.outline)) {
      rings.delete(grid);
      polygons.delete(grid);
    }
  };
  const ringsOf = (grid: number): Ring[] => {
    refresh();
    let found = rings.get(grid);
    if (!found) rings.set(grid, (found = ringsOfWalk(state.topology, outlineOf(state, grid))));
    return found;
  };
  return {
    ringsOf,
    polygonsOf: (grid) => {
      refresh();
      let found = polygons.get(grid);
      if (!found) polygons.set(grid, (found = polygonsOfRings(ringsOf(grid))));
      return found;
    },
  };
}

/** Arcs round the units `held` tells, the units to the left; ~a for one to be walked backwards. */
export function walkAround(state: State, units: Iterable<number>, held: (unit: number) => boolean): number[] {
  const { topology, borders } = state;
  const walk: number[] = [];
  for (const unit of units) {
    for (let at = borders.arcStart[unit]!; at < borders.arcStart[unit + 1]!; at += 1) {
      const arc = borders.arcs[at]!;
      const left = topology.arcLeft[arc] === unit;
      const other = left ? topology.arcRight[arc]! : topology.arcLeft[arc]!;
      if (other < 0 || !held(other)) walk.push(left ? arc : ~arc);
    }
  }
  return walk;
}

function outlineOf(state: State, grid: number): number[] {
  const { owner } = gridLevel(state, grid);
  return walkAround(state, eachUnit(state, grid), (unit) => owner[unit] === grid);
}

export function ringsAround(work: Work, units: readonly number[]): Ring[] {
  const { slot } = work.scratch;
  const once = [...new Set(units)];
  for (const unit of once) slot[unit] = 1;
  const walk = walkAround(work.state, once, (unit) => slot[unit] === 1);
  for (const unit of once) slot[unit] = -1;
  return ringsOfWalk(work.state.topology, walk);
}

/** All arcs of a level with different grids to either side. */
export function borderArcs(state: State, level: number): Int32Array {
  const { arcLeft, arcRight } = state.topology;
  const { owner } = levelOf(state, level);
  const out = new Int32Array(arcLeft.length);
  let used = 0;
  for (let arc = 0; arc < arcLeft.length; arc += 1) {
    const left = arcLeft[arc]!;
    const right = arcRight[arc]!;
    if ((left < 0 ? -1 : owner[left]) !== (right < 0 ? -1 : owner[right])) out[used++] = arc;
  }
  return out.slice(0, used);
}

const smaller = (state: State, a: number, b: number): [number, number] =>
  state.sums[a * SUMS + Sum.units]! <= state.sums[b * SUMS + Sum.units]! ? [a, b] : [b, a];

export function sharedArcs(state: State, a: number, b: number): Int32Array {
  const { topology, borders } = state;
  const { owner } = gridLevel(state, a);
  const [one, two] = smaller(state, a, b);
  const out: number[] = [];
  if (state.grids[a]!.level !== state.grids[b]!.level) return new Int32Array(0);
  for (const unit of eachUnit(state, one)) {
    for (let at = borders.arcStart[unit]!; at < borders.arcStart[unit + 1]!; at += 1) {
      const other = across(topology, borders.arcs[at]!, unit);
      if (other >= 0 && owner[other] === two) out.push(borders.arcs[at]!);
    }
  }
  return Int32Array.from(out);
}

export function innerArcs(state: State, grid: number): Int32Array {
  const { topology, borders } = state;
  const { owner } = gridLevel(state, grid);
  const out: number[] = [];
  for (const unit of eachUnit(state, grid)) {
    for (let at = borders.arcStart[unit]!; at < borders.arcStart[unit + 1]!; at += 1) {
      const other = across(topology, borders.arcs[at]!, unit);
      if (other > unit && owner[other] === grid) out.push(borders.arcs[at]!);
    }
  }
  return Int32Array.from(out);
}

export const sharedBorder = (state: State, a: number, b: number): Line[] =>
  linesOfArcs(state.topology, sharedArcs(state, a, b));

/** Grids with a common border and its metres, longest first. */
export function neighboursOf(state: State, grid: number): { grid: number; metres: number }[] {
  const { borders } = state;
  const { owner } = gridLevel(state, grid);
  const metres = new Map<number, number>();
  for (const unit of eachUnit(state, grid)) {
    for (let at = borders.start[unit]!; at < borders.start[unit + 1]!; at += 1) {
      const other = owner[borders.to[at]!]!;
      if (other >= 0 && other !== grid) metres.set(other, (metres.get(other) ?? 0) + borders.metres[at]!);
    }
  }
  return [...metres]
    .map(([other, length]) => ({ grid: other, metres: length }))
    .sort((one, two) => two.metres - one.metres || one.grid - two.grid);
}

export interface BorderHit {
  a: number;
  b: number;
  arc: number;
  at: XY;
  distance: number;
}

/** The border between grids nearest to a point, within a radius: looks at the units thereabouts only. */
export function borderAt(work: Work, x: number, y: number, radius: number, level: Level): BorderHit | null {
  const { topology, borders } = work.state;
  const { points, arcStart, arcLeft, arcRight } = topology;
  const { owner } = level;
  let best: BorderHit | null = null;
  let least = radius * radius;
  for (const unit of work.places.unitsNear(x - radius, y - radius, x + radius, y + radius)) {
    for (let k = borders.arcStart[unit]!; k < borders.arcStart[unit + 1]!; k += 1) {
      const arc = borders.arcs[k]!;
      const a = arcLeft[arc]! < 0 ? -1 : owner[arcLeft[arc]!]!;
      const b = arcRight[arc]! < 0 ? -1 : owner[arcRight[arc]!]!;
      if (a === b || (arcLeft[arc] !== unit && arcLeft[arc]! >= 0)) continue;
      const last = 2 * arcStart[arc + 1]! - 2;
      for (let p = 2 * arcStart[arc]!; p < last; p += 2) {
        const [ax, ay, bx, by] = [points[p]!, points[p + 1]!, points[p + 2]!, points[p + 3]!];
        const square = pointToSegment(x, y, ax, ay, bx, by);
        if (square > least) continue;
        least = square;
        best = {
          a: a >= 0 ? a : b,
          b: a >= 0 ? b : a,
          arc,
          at: footOn(x, y, ax, ay, bx, by),
          distance: Math.sqrt(square),
        };
      }
    }
  }
  return best;
}

/** Point of a segment nearest to a point. */
export function footOn(x: number, y: number, ax: number, ay: number, bx: number, by: number): XY {
  const dx = bx - ax;
  const dy = by - ay;
  const length = dx * dx + dy * dy;
  const t = length > 0 ? Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / length)) : 0;
  return [ax + t * dx, ay + t * dy];
}
