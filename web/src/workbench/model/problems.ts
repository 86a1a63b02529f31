/**
 * What is wrong with a plan, kept up to date: only grids that changed, or touch a unit that did, are judged anew. The
 * rules are the service's (`planning/problems.py`).
 */

import { piecesOf } from './contiguity';
import type { Summary } from './interface';
import {
  beyond,
  freeUnits,
  gridLevel,
  isOrdinary,
  levelOf,
  mark,
  parentOf,
  SUMS,
  takeMarks,
  unitsOf,
  type Level,
  type State,
} from './state';
import { summed } from './summary';
import type { Problem, ProblemKind } from './types';
import type { Work } from './work';

const ORDER: readonly ProblemKind[] = [
  'unassigned',
  'broken',
  'out_of_band',
  'enclave',
  'crosses_barrier',
  'split_compound',
];

export interface Problems {
  of(level: number): readonly Problem[];
  summary(level: number): Summary;
}

export function problemsOf(work: Work): Problems {
  const { state } = work;
  const byGrid: Problem[][] = [];
  const byCompound = new Map<number, Problem[]>();
  const free = state.levels.map((): Problem[] => []);
  const members = compoundMembers(state);
  const cells = state.levels.map((): Cells | null => null);
  const fitting = new Map<number, number>();
  let lists: (Problem[] | null)[] = state.levels.map(() => null);

  const refresh = (): void => {
    for (const [at, level] of state.levels.entries()) {
      if (!level.band || !stale(state, at, cells[at]!)) continue;
      // parts between barriers are other parts now: every grid of the level may be judged otherwise
      cells[at] = cellsOf(state, level);
      for (const [grid, found] of state.grids.entries())
        if (found.level === level.level) mark(state.judge, grid);
    }
    const grids = takeMarks(state.judge);
    const compounds = [...state.compounds];
    if (grids.length + compounds.length === 0 && !state.freeTouched) return;
    state.compounds.clear();
    lists = state.levels.map(() => null);
    for (const grid of grids) {
      const at = state.levels.indexOf(gridLevel(state, grid));
      byGrid[grid] = judged(work, grid, cells[at]!);
    }
    const first = state.levels[0]!;
    for (const compound of compounds)
      byCompound.set(compound, splitCompound(state, first, members, compound));
    for (const [at, level] of state.levels.entries()) {
      if (state.freeTouched || at > 0) free[at] = left(work, level);
    }
    state.freeTouched = false;
  };

  const of = (number: number): readonly Problem[] => {
    refresh();
    const at = state.levels.indexOf(levelOf(state, number));
    let list = lists[at];
    if (!list) {
      list = [...free[at]!];
      if (at === 0) for (const found of byCompound.values()) list.push(...found);
      for (let grid = 0; grid < byGrid.length; grid += 1) {
        if (state.grids[grid]!.level === number) list.push(...(byGrid[grid] ?? []));
      }
      const rank = (one: Problem): number => ORDER.indexOf(one.kind);
      list.sort((one, two) => rank(one) - rank(two) || two.amount - one.amount || (one.id < two.id ? -1 : 1));
      lists[at] = list;
    }
    return list;
  };

  const fits = (level: Level): number => {
    let found = fitting.get(level.level);
    if (found === undefined) {
      found = 0;
      for (let compound = 0; compound < state.topology.compounds.length; compound += 1) {
        const homes = homesOf(state, members, compound);
        if (homes > 0 && homes <= (level.band?.high ?? Infinity)) found += 1;
      }
      fitting.set(level.level, found);
    }
    return found;
  };

  return {
    of,
    summary: (number) => {
      const level = levelOf(state, number);
      return summed(state, level, of(number), fits(level));
    },
  };
}

// --- one grid -----------------------------------------------------------------------------

const sumOver = (units: ArrayLike<number>, values: ArrayLike<number>): number => {
  let sum = 0;
  for (let at = 0; at < units.length; at += 1) sum += values[units[at]!]!;
  return sum;
};

const ascending = (units: Iterable<number>): number[] => [...units].sort((one, two) => one - two);

function judged(work: Work, grid: number, cells: Cells | null): Problem[] {
  const { state } = work;
  const found: Problem[] = [];
  const { alive, kind, level, code } = state.grids[grid]!;
  const units = unitsOf(state, grid);
  if (!alive || units.length === 0) return found;
  const name = `${level}:${code}`;
  const over = beyond(state, grid);
  if (over !== 0) {
    const amount = Math.abs(over);
    found.push({
      id: `out_of_band:${name}`,
      kind: 'out_of_band',
      grids: [grid],
      units: ascending(units),
      amount,
    });
  }
  const [main, ...others] = bySize(state, piecesOf(state.borders, work.scratch, units));
  if (others.length > 0) {
    const loose = ascending(others.flat());
    found.push({
      id: `broken:${name}`,
      kind: 'broken',
      grids: [grid],
      units: loose,
      amount: others.length + 1,
    });
  }
  if (!isOrdinary(kind)) return found;
  const { owner } = gridLevel(state, grid);
  for (const piece of others.length > 0 ? others : [main!]) {
    const host = enclosing(state, owner, piece, grid);
    if (host < 0) continue;
    const inside = ascending(piece);
    const amount = sumOver(inside, state.topology.households);
    found.push({
      id: `enclave:${name}:${inside[0]}`,
      kind: 'enclave',
      grids: [grid, host],
      units: inside,
      amount,
    });
  }
  const crossing = cells && crossed(state, owner, grid, units, cells);
  if (crossing)
    found.push({ id: `crosses_barrier:${name}`, kind: 'crosses_barrier', grids: [grid], ...crossing });
  return found;
}

/** Pieces by households, then ground, largest first; of equal ones the one with the lowest unit. */
function bySize(state: State, pieces: readonly number[][]): number[][] {
  if (pieces.length === 1) return [...pieces];
  const { households, area } = state.topology;
  const sized = pieces.map((units) => ({
    units,
    homes: sumOver(units, households),
    area: sumOver(units, area),
    low: units.reduce((least, unit) => Math.min(least, unit), units[0]!),
  }));
  sized.sort((one, two) => two.homes - one.homes || two.area - one.area || one.low - two.low);
  return sized.map(({ units }) => units);
}

/** The one grid all round a piece; −1 where the outside, units of no grid or several grids touch it. */
function enclosing(state: State, owner: Int32Array, piece: readonly number[], grid: number): number {
  const { topology, borders } = state;
  let host = -1;
  for (const unit of piece) {
    for (let at = borders.arcStart[unit]!; at < borders.arcStart[unit + 1]!; at += 1) {
      const arc = borders.arcs[at]!;
      const other = topology.arcLeft[arc] === unit ? topology.arcRight[arc]! : topology.arcLeft[arc]!;
      const theirs = other < 0 ? -1 : owner[other]!;
      if (theirs === grid) continue;
      if (theirs < 0 || (host >= 0 && theirs !== host)) return -1;
      host = theirs;
    }
  }
  return host;
}

// --- rivers, railways and main roads ----------------------------------------------------------

/** Parts of a community (deeper: of the grid above) joined without crossing a barrier. */
interface Cells {
  of: Int32Array;
  /** Whether a part could be divided in band by itself. */
  able: Uint8Array;
  /** Moves of the level above when it was made. */
  made: number;
}

const upperOf = (state: State, level: Level): Level | undefined =>
  state.levels[state.levels.indexOf(level) - 1];

const stale = (state: State, at: number, cells: Cells | null): boolean =>
  !cells || (at > 0 && cells.made !== state.levels[at - 1]!.moves);

/** Where a unit belongs: its community, on deeper levels its grid above. */
const homeOf = (state: State, level: Level): ArrayLike<number> =>
  upperOf(state, level)?.owner ?? state.topology.community;

const barrierBetween = (state: State, at: number): boolean =>
  state.borders.barrier[at]! >= 0.5 * state.borders.metres[at]!;

function cellsOf(state: State, level: Level): Cells {
  const { borders, topology } = state;
  const home = homeOf(state, level);
  const n = topology.unitIds.length;
  const of = new Int32Array(n).fill(-1);
  const able: number[] = [];
  const queue = new Int32Array(n);
  for (let first = 0; first < n; first += 1) {
    if (of[first] !== -1) continue;
    const cell = able.length;
    let [head, tail, homes] = [0, 1, 0];
    queue[0] = first;
    of[first] = cell;
    while (head < tail) {
      const unit = queue[head++]!;
      homes += topology.households[unit]!;
      if (home[unit]! < 0) continue;
      for (let at = borders.start[unit]!; at < borders.start[unit + 1]!; at += 1) {
        const other = borders.to[at]!;
        if (of[other] !== -1 || home[other] !== home[unit] || barrierBetween(state, at)) continue;
        of[other] = cell;
        queue[tail++] = other;
      }
    }
    able.push(level.band && fitsBand(homes, level.band) ? 1 : 0);
  }
  return { of, able: Uint8Array.from(able), made: upperOf(state, level)?.moves ?? 0 };
}

/** Whether some number of grids in band holds just so many households. */
function fitsBand(homes: number, { low, high }: { low: number; high: number }): boolean {
  const least = Math.max(1, Math.ceil(homes / high));
  return least <= (low > 0 ? Math.floor(homes / low) : Math.max(homes, least, 1));
}

/** Metres of barrier inside a grid between parts that could each be divided alone; units beyond, seen from the main one. */
function crossed(
  state: State,
  owner: Int32Array,
  grid: number,
  units: Int32Array,
  cells: Cells,
): { amount: number; units: number[] } | null {
  const { borders, topology } = state;
  const home = homeOf(state, gridLevel(state, grid));
  const inside = new Map<number, number>();
  const sides = new Set<number>();
  let metres = 0;
  for (const unit of units) {
    const cell = cells.of[unit]!;
    inside.set(cell, (inside.get(cell) ?? 0) + topology.households[unit]! + 1e-6 * topology.area[unit]!);
    if (!cells.able[cell] || home[unit]! < 0) continue;
    for (let at = borders.start[unit]!; at < borders.start[unit + 1]!; at += 1) {
      const other = borders.to[at]!;
      if (other <= unit || owner[other] !== grid || home[other] !== home[unit]) continue;
      const beyondIt = cells.of[other]!;
      if (beyondIt === cell || !cells.able[beyondIt] || !barrierBetween(state, at)) continue;
      metres += borders.metres[at]!;
      sides.add(cell).add(beyondIt);
    }
  }
  if (sides.size === 0) return null;
  const [main] = [...sides].sort((one, two) => inside.get(two)! - inside.get(one)! || one - two);
  const off = units.filter((unit) => cells.of[unit] !== main && sides.has(cells.of[unit]!));
  return { amount: Math.round(metres * 10) / 10, units: ascending(off) };
}

// --- compounds and what is left over ----------------------------------------------------------

interface Members {
  start: Int32Array;
  units: Int32Array;
}

function compoundMembers(state: State): Members {
  const { compound, compounds } = state.topology;
  const start = new Int32Array(compounds.length + 1);
  for (const one of compound) if (one >= 0) start[one + 1]! += 1;
  for (let at = 0; at < compounds.length; at += 1) start[at + 1]! += start[at]!;
  const units = new Int32Array(start[compounds.length]!);
  const next = start.slice();
  for (let unit = 0; unit < compound.length; unit += 1) {
    if (compound[unit]! >= 0) units[next[compound[unit]!]!++] = unit;
  }
  return { start, units };
}

export const unitsOfCompound = (state: State, unit: number): number[] => {
  const { compound } = state.topology;
  const wanted = compound[unit]!;
  if (wanted < 0) return [unit];
  const out: number[] = [];
  for (let other = 0; other < compound.length; other += 1) if (compound[other] === wanted) out.push(other);
  return out;
};

function homesOf(state: State, members: Members, compound: number): number {
  let homes = 0;
  for (let at = members.start[compound]!; at < members.start[compound + 1]!; at += 1) {
    homes += state.topology.households[members.units[at]!]!;
  }
  return homes;
}

/**
 * Lived-in units of a compound small enough for one grid that lie in several, community by community: what lies in
 * another community is no fault.
 */
function splitCompound(state: State, level: Level, members: Members, compound: number): Problem[] {
  const { topology } = state;
  if (!level.band || homesOf(state, members, compound) > level.band.high) return [];
  const lived = new Map<number, number[]>();
  for (let at = members.start[compound]!; at < members.start[compound + 1]!; at += 1) {
    const unit = members.units[at]!;
    if (topology.households[unit] === 0 || level.owner[unit]! < 0) continue;
    const home = topology.community[unit]!;
    const there = lived.get(home);
    if (there) there.push(unit);
    else lived.set(home, [unit]);
  }
  const found: Problem[] = [];
  const name = topology.compounds[compound]!;
  for (const [home, units] of lived) {
    const homes = new Map<number, number>();
    for (const unit of units) {
      const grid = level.owner[unit]!;
      homes.set(grid, (homes.get(grid) ?? 0) + topology.households[unit]!);
    }
    if (homes.size < 2) continue;
    const code = (grid: number): string => state.grids[grid]!.code;
    const grids = [...homes]
      .sort((one, two) => one[1] - two[1] || (code(one[0]) < code(two[0]) ? -1 : 1))
      .map(([grid]) => grid);
    const out = units.filter((unit) => level.owner[unit] !== grids.at(-1));
    found.push({
      id: `split_compound:${level.level}:${name}:${topology.communities[home]?.code ?? ''}`,
      kind: 'split_compound',
      grids,
      units: ascending(out),
      amount: sumOver(out, topology.households),
      compound: name,
    });
  }
  return found;
}

/** Units in no grid, a problem for each patch in a community. On deeper levels only inside grids that are divided. */
function left(work: Work, level: Level): Problem[] {
  const { state } = work;
  const home = homeOf(state, level);
  let units = freeUnits(level);
  if (upperOf(state, level)) {
    const divided = new Set<number>();
    for (const [grid, { alive, level: its }] of state.grids.entries()) {
      if (alive && its === level.level && state.sums[grid * SUMS]! > 0) divided.add(parentOf(state, grid));
    }
    units = units.filter((unit) => divided.has(home[unit]!));
  }
  return piecesOf(state.borders, work.scratch, units).flatMap((piece) => {
    const homes = new Map<number, number[]>();
    for (const unit of ascending(piece)) {
      const there = homes.get(home[unit]!);
      if (there) there.push(unit);
      else homes.set(home[unit]!, [unit]);
    }
    return [...homes.values()].map((part) => ({
      id: `unassigned:${level.level}:${part[0]}`,
      kind: 'unassigned' as const,
      grids: [],
      units: part,
      amount: sumOver(part, state.topology.households),
    }));
  });
}
