/** What a change would do, worked out beside the state: who may go where, and figures before and after. */

import type { Moves, Preview, Skipped, Trial } from './interface';
import { figuresOf, levelOf, parentOf, SUMS, Sum, type Level, type State } from './state';

export const nothingSkipped = (): Skipped => ({ locked: 0, community: 0, parent: 0, trimmed: 0 });

/** Who is asked about in one call: reused, so that a mouse move makes no garbage. */
export interface Scratch {
  /** Place of a unit in the moves under way, −1 for none. */
  slot: Int32Array;
}

export const newScratch = (units: number): Scratch => ({ slot: new Int32Array(units).fill(-1) });

/** Why a unit may not go to a grid, null when it may. */
export function refused(state: State, level: Level, unit: number, to: number): keyof Skipped | null {
  const from = level.owner[unit]!;
  if ((from >= 0 && state.grids[from]!.locked) || (to >= 0 && state.grids[to]!.locked)) return 'locked';
  for (const deeper of state.levels) {
    // what lies on deeper levels follows, so a lock there holds as well
    const under = deeper.level > level.level ? deeper.owner[unit]! : -1;
    if (under >= 0 && state.grids[under]!.locked) return 'locked';
  }
  if (to < 0) return null;
  const community = state.topology.community[unit]!;
  if (community >= 0 && state.topology.communities[community]!.code !== state.grids[to]!.community) {
    return 'community';
  }
  if (level.level > 1 && !insideParent(state, unit, to)) return 'parent';
  return null;
}

/** Grids of deeper levels take only units of the grid they are part of. */
function insideParent(state: State, unit: number, to: number): boolean {
  const parent = parentOf(state, to);
  return parent < 0 || levelOf(state, state.grids[parent]!.level).owner[unit] === parent;
}

/** Moves that may be made and change something, each unit once; counts of the others. */
export function admitted(state: State, scratch: Scratch, moves: Moves): { moves: Moves; skipped: Skipped } {
  const level = levelOf(state, moves.level);
  const skipped = nothingSkipped();
  const units: number[] = [];
  const to: number[] = [];
  const { slot } = scratch;
  for (let at = 0; at < moves.units.length; at += 1) {
    const unit = moves.units[at]!;
    const goal = moves.to[at]!;
    if (!(unit >= 0 && unit < slot.length)) throw new RangeError(`there is no unit ${unit}`);
    if (slot[unit] !== -1 || level.owner[unit] === goal) continue;
    const why = refused(state, level, unit, goal);
    if (why) {
      skipped[why] += 1;
      continue;
    }
    slot[unit] = units.length;
    units.push(unit);
    to.push(goal);
  }
  for (const unit of units) slot[unit] = -1;
  return { moves: { level: moves.level, units, to }, skipped };
}

export function preview(state: State, scratch: Scratch, asked: Moves): Preview {
  const { moves, skipped } = admitted(state, scratch, asked);
  return { grids: trials(state, scratch, moves), units: moves.units, skipped };
}

/** Figures before and after moves that are known to be admitted. */
export function trials(state: State, scratch: Scratch, moves: Moves): Trial[] {
  const level = levelOf(state, moves.level);
  const deltas = new Map<number, Float64Array>();
  const of = (grid: number): Float64Array => {
    let found = deltas.get(grid);
    if (!found) {
      found = new Float64Array(SUMS);
      deltas.set(grid, found);
    }
    return found;
  };
  const { slot } = scratch;
  for (let at = 0; at < moves.units.length; at += 1) slot[moves.units[at]!] = at;
  for (let at = 0; at < moves.units.length; at += 1) {
    const unit = moves.units[at]!;
    const from = level.owner[unit]!;
    const to = moves.to[at]!;
    if (from >= 0) countUnit(state, of(from), unit, -1);
    if (to >= 0) countUnit(state, of(to), unit, 1);
    borderOf(state, level, moves, slot, unit, from, to, of);
  }
  for (const unit of moves.units) slot[unit] = -1;
  const out: Trial[] = [];
  for (const [grid, delta] of deltas) {
    const before = state.sums.subarray(grid * SUMS, (grid + 1) * SUMS);
    const after = before.map((value, at) => value + delta[at]!);
    if (after[Sum.units] === 0) after.fill(0);
    out.push({ grid, before: figuresOf(before), after: figuresOf(after) });
  }
  return out;
}

function countUnit(state: State, sums: Float64Array, unit: number, sign: 1 | -1): void {
  const { topology, counts } = state;
  sums[Sum.units]! += sign;
  sums[Sum.households]! += sign * topology.households[unit]!;
  sums[Sum.population]! += sign * topology.population[unit]!;
  sums[Sum.elderly]! += sign * topology.elderly[unit]!;
  sums[Sum.priority]! += sign * topology.priority[unit]!;
  sums[Sum.components]! += sign * counts.components[unit]!;
  sums[Sum.reports]! += sign * counts.reportsPerMonth[unit]!;
  sums[Sum.area]! += sign * topology.area[unit]!;
}

/** What the arcs round a moving unit add to and take from outlines; arcs between two moving units once. */
function borderOf(
  state: State,
  level: Level,
  moves: Moves,
  slot: Int32Array,
  unit: number,
  from: number,
  to: number,
  of: (grid: number) => Float64Array,
): void {
  const { topology, borders } = state;
  for (let k = borders.arcStart[unit]!; k < borders.arcStart[unit + 1]!; k += 1) {
    const arc = borders.arcs[k]!;
    const left = topology.arcLeft[arc]!;
    const other = left === unit ? topology.arcRight[arc]! : left;
    const place = other < 0 ? -1 : slot[other]!;
    if (place >= 0 && other < unit) continue;
    const before = other < 0 ? -1 : level.owner[other]!;
    const after = place >= 0 ? moves.to[place]! : before;
    const metres = topology.metres[arc]!;
    if (from !== before) {
      if (from >= 0) of(from)[Sum.perimeter]! -= metres;
      if (before >= 0) of(before)[Sum.perimeter]! -= metres;
    }
    if (to !== after) {
      if (to >= 0) of(to)[Sum.perimeter]! += metres;
      if (after >= 0) of(after)[Sum.perimeter]! += metres;
    }
  }
}
