/**
 * What is wrong with a plan, kept up to date: only grids that changed, or touch a unit that did, are judged anew. The
 * rules are the service's (`planning/problems.py`).
 */

import { piecesOf } from './contiguity';
import type { Summary } from './interface';
import {
  beyond,
  compactnessOf,
  eachUnit,
  freeUnits,
  gridLevel,
  isOrdinary,
  levelOf,
  SUMS,
  Sum,
  takeMarks,
  unitsOf,
  type Level,
  type State,
} from './state';
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
  const byCompound = state.levels.map(() => new Map<number, Problem>());
  const free = state.levels.map((): Problem[] => []);
  const members = compoundMembers(state);
  const fitting = new Map<number, number>();
  let lists: (Problem[] | null)[] = state.levels.map(() => null);

  const refresh = (): void => {
    const grids = takeMarks(state.judge);
    const compounds = [...state.compounds];
    if (grids.length + compounds.length === 0 && !state.freeTouched) return;
    state.compounds.clear();
    lists = state.levels.map(() => null);
    for (const grid of grids) byGrid[grid] = judged(work, grid);
    for (const [at, level] of state.levels.entries()) {
      for (const compound of compounds) {
        const found = splitCompound(state, level, members, compound);
        if (found) byCompound[at]!.set(compound, found);
        else byCompound[at]!.delete(compound);
      }
      if (state.freeTouched) free[at] = left(work, level);
    }
    state.freeTouched = false;
  };

  const of = (number: number): readonly Problem[] => {
    refresh();
    const at = state.levels.indexOf(levelOf(state, number));
    let list = lists[at];
    if (!list) {
      list = [...free[at]!, ...byCompound[at]!.values()];
      for (let grid = 0; grid < byGrid.length; grid += 1) {
        if (state.grids[grid]!.level === number) list.push(...(byGrid[grid] ?? []));
      }
      const rank = (one: Problem): number => ORDER.indexOf(one.kind);
      list.sort((one, two) => rank(one) - rank(two) || Math.abs(two.amount) - Math.abs(one.amount));
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

function judged(work: Work, grid: number): Problem[] {
  const { state } = work;
  const found: Problem[] = [];
  if (!state.grids[grid]!.alive) return found;
  const { owner } = gridLevel(state, grid);
  const units = unitsOf(state, grid);
  const over = beyond(state, grid);
  if (over !== 0) {
    found.push({ id: `out_of_band:${grid}`, kind: 'out_of_band', grids: [grid], units: [], amount: over });
  }
  if (units.length === 0) return found;
  const pieces = piecesOf(state.borders, work.scratch, units);
  if (pieces.length > 1) {
    const smaller = bySize(state, pieces).slice(1).flat();
    found.push({
      id: `broken:${grid}`,
      kind: 'broken',
      grids: [grid],
      units: smaller,
      amount: pieces.length,
    });
  }
  const host = enclosing(state, owner, grid);
  if (host >= 0) {
    found.push({ id: `enclave:${grid}`, kind: 'enclave', grids: [grid, host], units: [...units], amount: 1 });
  }
  const barrier = barrierInside(state, owner, grid);
  if (barrier.metres > 0) {
    found.push({
      id: `crosses_barrier:${grid}`,
      kind: 'crosses_barrier',
      grids: [grid],
      units: barrier.units,
      amount: barrier.metres,
    });
  }
  return found;
}

/** Pieces by area, largest first; of equal ones the one with the lowest unit. */
function bySize(state: State, pieces: readonly number[][]): number[][] {
  const sized = pieces.map((units) => ({
    units,
    area: units.reduce((sum, unit) => sum + state.topology.area[unit]!, 0),
    low: Math.min(...units),
  }));
  sized.sort((one, two) => two.area - one.area || one.low - two.low);
  return sized.map(({ units }) => units);
}

/** The one grid all round this one; −1 where the outside, units of no grid or several grids touch it. */
function enclosing(state: State, owner: Int32Array, grid: number): number {
  const { topology, borders } = state;
  let host = -1;
  for (const unit of eachUnit(state, grid)) {
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

/** Metres of rivers, railways and main roads between units of a grid, and the units along them. */
function barrierInside(state: State, owner: Int32Array, grid: number): { metres: number; units: number[] } {
  const { borders } = state;
  const units: number[] = [];
  let twice = 0;
  for (const unit of eachUnit(state, grid)) {
    let here = 0;
    for (let at = borders.start[unit]!; at < borders.start[unit + 1]!; at += 1) {
      if (borders.barrier[at]! > 0 && owner[borders.to[at]!] === grid) here += borders.barrier[at]!;
    }
    if (here > 0) units.push(unit);
    twice += here;
  }
  return { metres: twice / 2, units };
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

/** A compound small enough for one grid whose lived-in units are in several (or partly in none). */
function splitCompound(state: State, level: Level, members: Members, compound: number): Problem | null {
  const homes = new Map<number, number>();
  let all = 0;
  const lived: number[] = [];
  for (let at = members.start[compound]!; at < members.start[compound + 1]!; at += 1) {
    const unit = members.units[at]!;
    const here = state.topology.households[unit]!;
    if (here === 0) continue;
    lived.push(unit);
    all += here;
    homes.set(level.owner[unit]!, (homes.get(level.owner[unit]!) ?? 0) + here);
  }
  if (homes.size < 2 || all > (level.band?.high ?? Infinity)) return null;
  const grids = [...homes].sort((one, two) => two[1] - one[1] || one[0] - two[0]).map(([grid]) => grid);
  const most = grids[0]!;
  return {
    id: `split_compound:${level.level}:${state.topology.compounds[compound]}`,
    kind: 'split_compound',
    grids: grids.filter((grid) => grid >= 0),
    units: lived.filter((unit) => level.owner[unit] !== most),
    amount: grids.length,
    compound: state.topology.compounds[compound]!,
  };
}

/** Units in no grid, a problem for each patch of them. On deeper levels only inside grids that are divided. */
function left(work: Work, level: Level): Problem[] {
  const { state } = work;
  let units = freeUnits(level);
  if (level.level > 1) {
    const above = state.levels.filter((one) => one.level < level.level).at(-1);
    const divided = new Set(
      state.grids.filter((grid) => grid.alive && grid.level === level.level).map((grid) => grid.parent),
    );
    units = units.filter((unit) => {
      const over = above?.owner[unit] ?? -1;
      return over >= 0 && divided.has(state.grids[over]!.code);
    });
  }
  return piecesOf(state.borders, work.scratch, units).map((piece) => {
    const first = piece.reduce((least, unit) => Math.min(least, unit), piece[0]!);
    return {
      id: `unassigned:${level.level}:${first}`,
      kind: 'unassigned' as const,
      grids: [],
      units: piece,
      amount: piece.length,
    };
  });
}

// --- the whole level --------------------------------------------------------------------------

function summed(state: State, level: Level, problems: readonly Problem[], compounds: number): Summary {
  const out: Summary = {
    grids: 0,
    ordinary: 0,
    inBand: 0,
    outside: 0,
    households: 0,
    population: 0,
    unassignedUnits: 0,
    unassignedHouseholds: 0,
    least: 0,
    most: 0,
    mean: 0,
    deviation: 0,
    compactness: 0,
    broken: 0,
    compounds,
    splitCompounds: 0,
    crossing: 0,
    locked: 0,
  };
  const loads: number[] = [];
  let shapes = 0;
  let shaped = 0;
  for (const [grid, found] of state.grids.entries()) {
    if (!found.alive || found.level !== level.level) continue;
    const at = grid * SUMS;
    out.grids += 1;
    out.households += state.sums[at + Sum.households]!;
    out.population += state.sums[at + Sum.population]!;
    if (found.locked) out.locked += 1;
    if (state.sums[at]! > 0) {
      shapes += compactnessOf(state.sums[at + Sum.area]!, state.sums[at + Sum.perimeter]!);
      shaped += 1;
    }
    if (!isOrdinary(found.kind)) continue;
    out.ordinary += 1;
    const over = beyond(state, grid);
    if (over === 0) out.inBand += 1;
    out.outside += Math.abs(over);
    if (state.sums[at]! > 0) loads.push(state.sums[at + Sum.households]!);
  }
  if (loads.length > 0) {
    out.least = loads.reduce((least, one) => Math.min(least, one));
    out.most = loads.reduce((most, one) => Math.max(most, one));
    out.mean = loads.reduce((sum, one) => sum + one, 0) / loads.length;
    const apart = loads.reduce((sum, one) => sum + Math.abs(one - out.mean), 0) / loads.length;
    out.deviation = out.mean > 0 ? apart / out.mean : 0;
  }
  out.compactness = shaped > 0 ? shapes / shaped : 0;
  for (let unit = level.free; unit >= 0; unit = level.next[unit]!) {
    out.unassignedUnits += 1;
    out.unassignedHouseholds += state.topology.households[unit]!;
  }
  for (const { kind } of problems) {
    if (kind === 'broken') out.broken += 1;
    if (kind === 'split_compound') out.splitCompounds += 1;
    if (kind === 'crosses_barrier') out.crossing += 1;
  }
  return out;
}
