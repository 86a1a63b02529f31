/**
 * A plan's state in arrays, and the one way it changes: a unit moves, a grid is born or ends, a grid's data is set.
 * Sums and outlines of grids are kept while units move: a move costs what the unit's own border costs.
 */

import { bordersOf } from './borders';
import type { Borders } from './interface';
import type { Band, GridFigures, PlanGrid, Topology, UnitCounts } from './types';

/** Sums kept per grid, in this order. */
export enum Sum {
  units,
  households,
  population,
  elderly,
  priority,
  components,
  reports,
  area,
  perimeter,
}
export const SUMS = 9;

export interface Level {
  level: number;
  band: Band | null;
  /** Grid of each unit now, and as the service has it. */
  owner: Int32Array;
  saved: Int32Array;
  /** Units of a grid are strung together; `free` begins those of no grid. */
  next: Int32Array;
  before: Int32Array;
  free: number;
  /** Units whose owner is not the saved one. */
  dirty: Set<number>;
  /** Moves there have been. */
  moves: number;
}

/** What the service knows of a grid. */
export interface Saved {
  code: string;
  name: string;
  kind: string;
  locked: boolean;
}

/** What is to be looked at anew: a list without repeats. */
export interface Marks {
  list: number[];
  flag: Uint8Array;
}

export interface State {
  topology: Topology;
  borders: Borders;
  counts: UnitCounts;
  levels: Level[];
  grids: PlanGrid[];
  saved: (Saved | null)[];
  /** `level:code` of grids now in the plan or known. */
  byCode: Map<string, number>;
  first: Int32Array;
  sums: Float64Array;
  revision: number;
  /** Grids whose outline changed; whose problems must be judged anew; compounds to judge anew (`level * n + c`). */
  outline: Marks;
  judge: Marks;
  compounds: Set<number>;
  freeTouched: boolean;
  newNumber: number;
}

export const newMarks = (): Marks => ({ list: [], flag: new Uint8Array(0) });

export function mark(marks: Marks, at: number): void {
  if (at >= marks.flag.length) {
    const more = new Uint8Array(Math.max(64, 2 * at));
    more.set(marks.flag);
    marks.flag = more;
  }
  if (marks.flag[at]) return;
  marks.flag[at] = 1;
  marks.list.push(at);
}

export function takeMarks(marks: Marks): number[] {
  const { list } = marks;
  for (const at of list) marks.flag[at] = 0;
  marks.list = [];
  return list;
}

export function newState(topology: Topology, counts: UnitCounts): State {
  return {
    topology,
    borders: bordersOf(topology),
    counts,
    levels: [],
    grids: [],
    saved: [],
    byCode: new Map(),
    first: new Int32Array(64).fill(-1),
    sums: new Float64Array(64 * SUMS),
    revision: 0,
    outline: newMarks(),
    judge: newMarks(),
    compounds: new Set(),
    freeTouched: true,
    newNumber: 1,
  };
}

/** A level with all units in no grid. */
export function addLevel(state: State, level: number, band: Band | null): Level {
  const n = state.topology.unitIds.length;
  const made: Level = {
    level,
    band,
    owner: new Int32Array(n).fill(-1),
    saved: new Int32Array(n).fill(-1),
    next: new Int32Array(n),
    before: new Int32Array(n),
    free: n > 0 ? 0 : -1,
    dirty: new Set(),
    moves: 0,
  };
  for (let unit = 0; unit < n; unit += 1) {
    made.next[unit] = unit + 1 < n ? unit + 1 : -1;
    made.before[unit] = unit - 1;
  }
  state.levels.push(made);
  return made;
}

export function levelOf(state: State, level: number): Level {
  const found = state.levels.find((one) => one.level === level);
  if (!found) throw new RangeError(`the plan has no level ${level}`);
  return found;
}

export const gridLevel = (state: State, grid: number): Level => levelOf(state, state.grids[grid]!.level);

export const codeKey = (level: number, code: string): string => `${level}:${code}`;

/** Number of the grid above; −1 for none. */
export function parentOf(state: State, grid: number): number {
  const { parent, level } = state.grids[grid]!;
  if (parent === null) return -1;
  for (let above = level - 1; above >= 1; above -= 1) {
    const found = state.byCode.get(codeKey(above, parent));
    if (found !== undefined) return found;
  }
  return -1;
}

/** Enter a grid, in the plan or not. Its number. */
export function addGrid(state: State, grid: PlanGrid, saved: Saved | null): number {
  const number = state.grids.length;
  state.grids.push(grid);
  state.saved.push(saved);
  state.byCode.set(codeKey(grid.level, grid.code), number);
  const fresh = /^new:(\d+)$/.exec(grid.code);
  if (fresh) state.newNumber = Math.max(state.newNumber, Number(fresh[1]) + 1);
  if (number >= state.first.length) {
    const first = new Int32Array(2 * state.first.length).fill(-1);
    first.set(state.first);
    state.first = first;
    const sums = new Float64Array(2 * state.sums.length);
    sums.set(state.sums);
    state.sums = sums;
  }
  mark(state.outline, number);
  mark(state.judge, number);
  return number;
}

export const freshCode = (state: State): string => `new:${state.newNumber++}`;

/** Another code; grids below name it as their parent by it. */
export function recode(state: State, number: number, code: string): void {
  const grid = state.grids[number]!;
  const old = grid.code;
  if (old === code) return;
  if (state.byCode.get(codeKey(grid.level, old)) === number) state.byCode.delete(codeKey(grid.level, old));
  for (const other of state.grids) if (other.parent === old && other.level > grid.level) other.parent = code;
  grid.code = code;
  state.byCode.set(codeKey(grid.level, code), number);
  const fresh = /^new:(\d+)$/.exec(code);
  if (fresh) state.newNumber = Math.max(state.newNumber, Number(fresh[1]) + 1);
}

function unlink(state: State, level: Level, unit: number, from: number): void {
  const next = level.next[unit]!;
  const before = level.before[unit]!;
  if (before >= 0) level.next[before] = next;
  else if (from >= 0) state.first[from] = next;
  else level.free = next;
  if (next >= 0) level.before[next] = before;
}

function link(state: State, level: Level, unit: number, to: number): void {
  const next = to >= 0 ? state.first[to]! : level.free;
  level.next[unit] = next;
  level.before[unit] = -1;
  if (next >= 0) level.before[next] = unit;
  if (to >= 0) state.first[to] = unit;
  else level.free = unit;
}

function count(state: State, grid: number, unit: number, sign: 1 | -1): void {
  const { topology, counts, sums } = state;
  const at = grid * SUMS;
  sums[at + Sum.units]! += sign;
  sums[at + Sum.households]! += sign * topology.households[unit]!;
  sums[at + Sum.population]! += sign * topology.population[unit]!;
  sums[at + Sum.elderly]! += sign * topology.elderly[unit]!;
  sums[at + Sum.priority]! += sign * topology.priority[unit]!;
  sums[at + Sum.components]! += sign * counts.components[unit]!;
  sums[at + Sum.reports]! += sign * counts.reportsPerMonth[unit]!;
  sums[at + Sum.area]! += sign * topology.area[unit]!;
}

/** Give a unit to another grid (−1 none). */
export function moveUnit(state: State, level: Level, unit: number, to: number): void {
  const { owner } = level;
  const from = owner[unit]!;
  if (from === to) return;
  const { topology, borders, sums } = state;
  unlink(state, level, unit, from);
  owner[unit] = to;
  level.moves += 1;
  link(state, level, unit, to);
  if (from >= 0) {
    count(state, from, unit, -1);
    mark(state.outline, from);
    mark(state.judge, from);
  } else state.freeTouched = true;
  if (to >= 0) {
    count(state, to, unit, 1);
    mark(state.outline, to);
    mark(state.judge, to);
  } else state.freeTouched = true;
  for (let at = borders.arcStart[unit]!; at < borders.arcStart[unit + 1]!; at += 1) {
    const arc = borders.arcs[at]!;
    const left = topology.arcLeft[arc]!;
    const other = left === unit ? topology.arcRight[arc]! : left;
    const theirs = other < 0 ? -1 : owner[other]!;
    const metres = topology.metres[arc]!;
    if (theirs >= 0) mark(state.judge, theirs);
    // a border is in the outline of the grids on both its sides, when they differ
    if (from >= 0) sums[from * SUMS + Sum.perimeter]! += theirs === from ? metres : -metres;
    if (to >= 0) sums[to * SUMS + Sum.perimeter]! += theirs === to ? -metres : metres;
  }
  const compound = topology.compound[unit]!;
  if (compound >= 0) state.compounds.add(compound);
  if (to === level.saved[unit]) level.dirty.delete(unit);
  else level.dirty.add(unit);
  if (from >= 0 && sums[from * SUMS] === 0) clearSums(state, from);
  state.revision += 1;
}

/** An empty grid has nothing, whatever rounding left. */
function clearSums(state: State, grid: number): void {
  state.sums.fill(0, grid * SUMS, (grid + 1) * SUMS);
}

export function setSaved(level: Level, unit: number, grid: number): void {
  level.saved[unit] = grid;
  if (level.owner[unit] === grid) level.dirty.delete(unit);
  else level.dirty.add(unit);
}

export function* eachUnit(state: State, grid: number): Generator<number> {
  const { next } = gridLevel(state, grid);
  for (let unit = state.first[grid]!; unit >= 0; unit = next[unit]!) yield unit;
}

export function unitsOf(state: State, grid: number): Int32Array {
  const out = new Int32Array(state.sums[grid * SUMS]!);
  const { next } = gridLevel(state, grid);
  let at = 0;
  for (let unit = state.first[grid]!; unit >= 0; unit = next[unit]!) out[at++] = unit;
  return out;
}

export function freeUnits(level: Level): number[] {
  const out: number[] = [];
  for (let unit = level.free; unit >= 0; unit = level.next[unit]!) out.push(unit);
  return out;
}

/** Polsby–Popper 4πA/P², 0 without a border. */
export const compactnessOf = (area: number, perimeter: number): number =>
  perimeter > 0 ? (4 * Math.PI * area) / (perimeter * perimeter) : 0;

export const figuresOf = (sums: ArrayLike<number>, at = 0): GridFigures => ({
  units: sums[at + Sum.units]!,
  households: sums[at + Sum.households]!,
  population: sums[at + Sum.population]!,
  elderly: sums[at + Sum.elderly]!,
  priority: sums[at + Sum.priority]!,
  components: sums[at + Sum.components]!,
  reportsPerMonth: sums[at + Sum.reports]!,
  area: sums[at + Sum.area]!,
  perimeter: sums[at + Sum.perimeter]!,
  compactness: compactnessOf(sums[at + Sum.area]!, sums[at + Sum.perimeter]!),
});

const ORDINARY = new Set(['ordinary', 'residential', '']);
/** Whether the band applies to grids of a kind. */
export const isOrdinary = (kind: string): boolean => ORDINARY.has(kind);

export function bandOf(state: State, grid: number): Band | null {
  const found = state.grids[grid]!;
  return isOrdinary(found.kind) ? levelOf(state, found.level).band : null;
}

/** Households over (+) or under (−) the band, 0 within or where none applies. */
export function beyond(state: State, grid: number): number {
  const band = bandOf(state, grid);
  if (!band) return 0;
  const households = state.sums[grid * SUMS + Sum.households]!;
  return households > band.high ? households - band.high : Math.min(0, households - band.low);
}
