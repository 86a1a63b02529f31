/** The plan at work: changes gathered into steps, steps into the history, listeners told. */

import { follow, misplaced } from './follow';
import type { ModelChange, Skipped, StepInfo, StepKind } from './interface';
import type { ExactPlaces } from './places';
import { codeKey, levelOf, mark, moveUnit, recode, SUMS, type Level, type State } from './state';
import type { Scratch } from './trial';

export const STEPS_KEPT = 500;

export type SetKey = 'name' | 'kind' | 'locked' | 'code';
export type SetValue = string | boolean;

/** What one step did, net: grids by number. */
export interface Step {
  id: number;
  kind: StepKind;
  at: number;
  level: number;
  moves: { level: number; from: number; to: number; units: number[] }[];
  born: number[];
  gone: number[];
  sets: { grid: number; key: SetKey; from: SetValue; to: SetValue }[];
}

/** A step being made: where everything was before it. */
export interface Txn {
  kind: StepKind;
  moved: Map<number, Map<number, number>>;
  alive: Map<number, boolean>;
  sets: Map<string, { grid: number; key: SetKey; from: SetValue }>;
  grids: Set<number>;
}

export interface Work {
  state: State;
  scratch: Scratch;
  places: ExactPlaces;
  plan: { id: number; name: string; area: string; unitSet: number; status: 'draft' | 'published' };
  version: number;
  open: Txn | null;
  steps: Step[];
  /** Steps before this one are done, those from it on are undone. */
  cursor: number;
  nextStep: number;
  listeners: Set<(change: ModelChange) => void>;
  now: () => number;
}

export const newTxn = (kind: StepKind): Txn => ({
  kind,
  moved: new Map(),
  alive: new Map(),
  sets: new Map(),
  grids: new Set(),
});

// --- changes, noted as they are made --------------------------------------------------------

export function doMove(work: Work, txn: Txn, level: Level, unit: number, to: number): void {
  const from = level.owner[unit]!;
  if (from === to) return;
  let moved = txn.moved.get(level.level);
  if (!moved) txn.moved.set(level.level, (moved = new Map()));
  if (!moved.has(unit)) moved.set(unit, from);
  if (from >= 0) txn.grids.add(from);
  if (to >= 0) txn.grids.add(to);
  moveUnit(work.state, level, unit, to);
}

/** Move units, and on deeper levels those that lie in another grid now. */
export function doMoves(
  work: Work,
  txn: Txn,
  level: Level,
  units: readonly number[],
  to: readonly number[],
): void {
  for (let at = 0; at < units.length; at += 1) doMove(work, txn, level, units[at]!, to[at]!);
  for (const deeper of work.state.levels) {
    if (deeper.level <= level.level) continue;
    for (const [unit, goal] of follow(work.state, deeper, units)) doMove(work, txn, deeper, unit, goal);
  }
}

export function doAlive(work: Work, txn: Txn, grid: number, alive: boolean): void {
  const { state } = work;
  const found = state.grids[grid]!;
  if (found.alive === alive) return;
  if (!txn.alive.has(grid)) txn.alive.set(grid, found.alive);
  txn.grids.add(grid);
  found.alive = alive;
  mark(state.judge, grid);
  mark(state.outline, grid);
  state.revision += 1;
}

export function doSet(work: Work, txn: Txn, grid: number, key: SetKey, to: SetValue): void {
  const { state } = work;
  const found = state.grids[grid]!;
  const from = found[key];
  if (from === to) return;
  const name = `${grid}:${key}`;
  if (!txn.sets.has(name)) txn.sets.set(name, { grid, key, from });
  txn.grids.add(grid);
  if (key === 'code') recode(state, grid, to as string);
  else if (key === 'locked') found.locked = to as boolean;
  else found[key] = to as string;
  mark(state.judge, grid);
  state.revision += 1;
}

// --- steps ----------------------------------------------------------------------------------

/** Run `change` as one step, or as part of the one that is open. */
export function perform(work: Work, kind: StepKind, change: (txn: Txn) => void): Txn {
  const txn = work.open ?? newTxn(kind);
  if (work.open) {
    // listeners hear of each part of a stroke by itself
    const part = newTxn(kind);
    change(part);
    absorb(work.open, part);
    tell(work, part, 'action');
    return part;
  }
  change(txn);
  endEmptied(work, txn);
  remember(work, txn);
  tell(work, txn, 'action');
  return txn;
}

/** Grids a step leaves without units end with it, as they do at the service. */
export function endEmptied(work: Work, txn: Txn): void {
  const { state } = work;
  for (const [, moved] of txn.moved) {
    for (const from of new Set(moved.values())) {
      if (from >= 0 && state.sums[from * SUMS] === 0) doAlive(work, txn, from, false);
    }
  }
}

function absorb(whole: Txn, part: Txn): void {
  for (const [level, moved] of part.moved) {
    let known = whole.moved.get(level);
    if (!known) whole.moved.set(level, (known = new Map()));
    for (const [unit, from] of moved) if (!known.has(unit)) known.set(unit, from);
  }
  for (const [grid, alive] of part.alive) if (!whole.alive.has(grid)) whole.alive.set(grid, alive);
  for (const [name, one] of part.sets) if (!whole.sets.has(name)) whole.sets.set(name, one);
  for (const grid of part.grids) whole.grids.add(grid);
}

/** Enter what a transaction did, net, in the history; nothing when it did nothing. */
export function remember(work: Work, txn: Txn): void {
  const step = stepOf(work, txn);
  if (!step) return;
  work.steps.length = work.cursor;
  work.steps.push(step);
  if (work.steps.length > STEPS_KEPT) work.steps.shift();
  work.cursor = work.steps.length;
}

function stepOf(work: Work, txn: Txn): Step | null {
  const { state } = work;
  const moves: Step['moves'] = [];
  for (const [level, moved] of txn.moved) moves.push(...grouped(levelOf(state, level), moved));
  const born: number[] = [];
  const gone: number[] = [];
  for (const [grid, was] of txn.alive) {
    if (state.grids[grid]!.alive !== was) (was ? gone : born).push(grid);
  }
  const sets: Step['sets'] = [];
  for (const { grid, key, from } of txn.sets.values()) {
    const to = state.grids[grid]![key];
    if (to !== from) sets.push({ grid, key, from, to });
  }
  if (moves.length + born.length + gone.length + sets.length === 0) return null;
  const level = moves[0]?.level ?? state.grids[born[0] ?? gone[0] ?? sets[0]?.grid ?? 0]?.level ?? 1;
  return { id: work.nextStep++, kind: txn.kind, at: work.now(), level, moves, born, gone, sets };
}

/** Units by where they came from and went to. */
function grouped(level: Level, moved: ReadonlyMap<number, number>): Step['moves'] {
  const groups = new Map<string, Step['moves'][number]>();
  for (const [unit, from] of moved) {
    const to = level.owner[unit]!;
    if (to === from) continue;
    const name = `${from}:${to}`;
    let group = groups.get(name);
    if (!group) groups.set(name, (group = { level: level.level, from, to, units: [] }));
    group.units.push(unit);
  }
  return [...groups.values()];
}

/** Make a step again, or take it back, as far as things still are as it left them. What it really did. */
export function replay(work: Work, step: Step, back: boolean): Txn {
  const txn = newTxn(step.kind);
  const { state } = work;
  for (const grid of back ? step.gone : step.born) doAlive(work, txn, grid, true);
  const sets = step.sets.map(({ grid, key, from, to }) => ({
    grid,
    key,
    from: back ? to : from,
    to: back ? from : to,
  }));
  const unlocks = sets.filter(({ key, to }) => key === 'locked' && to === false);
  const others = sets.filter((one) => !unlocks.includes(one));
  for (const one of unlocks) resetIf(work, txn, one);
  for (const { level, from, to, units } of [...step.moves].sort((one, two) => one.level - two.level)) {
    const [left, goal] = back ? [to, from] : [from, to];
    if (goal >= 0 && (!state.grids[goal]!.alive || state.grids[goal]!.locked)) continue;
    if (left >= 0 && state.grids[left]!.locked) continue;
    const there = levelOf(state, level);
    for (const unit of units) {
      // the service may have filled in a deeper level meanwhile
      if (there.owner[unit] === left || misplaced(state, there, unit)) doMove(work, txn, there, unit, goal);
    }
  }
  straightened(work, txn);
  for (const one of others) resetIf(work, txn, one);
  for (const grid of back ? step.born : step.gone) {
    if (state.sums[grid * SUMS] === 0) doAlive(work, txn, grid, false);
  }
  return txn;
}

/** Moved units that are in a smaller grid of elsewhere join one where they are. */
function straightened(work: Work, txn: Txn): void {
  const { state } = work;
  for (const level of state.levels.slice(1)) {
    const wrong = [
      ...(txn.moved.get(level.level - 1)?.keys() ?? []),
      ...(txn.moved.get(level.level)?.keys() ?? []),
    ];
    const units = wrong.filter((unit) => misplaced(state, level, unit));
    for (const [unit, goal] of follow(state, level, units)) doMove(work, txn, level, unit, goal);
  }
}

/** Take back all of a transaction that is no step yet. */
export function replayBack(work: Work, txn: Txn): Txn {
  const step = stepOf(work, txn);
  return step ? replay(work, step, true) : newTxn(txn.kind);
}

function resetIf(work: Work, txn: Txn, one: Step['sets'][number]): void {
  const found = work.state.grids[one.grid]!;
  if (!found.alive || found[one.key] !== one.from) return;
  if (one.key === 'code' && work.state.byCode.has(codeKey(found.level, one.to as string))) return;
  doSet(work, txn, one.grid, one.key, one.to);
}

export const didSomething = (txn: Txn): boolean =>
  txn.alive.size + txn.sets.size > 0 || [...txn.moved.values()].some((moved) => moved.size > 0);

/** Undo or redo the next step that still has something to it. */
export function travel(work: Work, back: boolean): boolean {
  for (;;) {
    const step = back ? work.steps[work.cursor - 1] : work.steps[work.cursor];
    if (!step) return false;
    work.cursor += back ? -1 : 1;
    const txn = replay(work, step, back);
    if (!didSomething(txn)) continue;
    tell(work, txn, back ? 'undo' : 'redo');
    return true;
  }
}

export const stepInfo = (step: Step, done: boolean): StepInfo => ({
  id: step.id,
  kind: step.kind,
  at: step.at,
  level: step.level,
  units: step.moves.reduce((sum, move) => (move.level === step.level ? sum + move.units.length : sum), 0),
  grids: [
    ...new Set([
      ...step.moves.flatMap(({ from, to }) => [from, to]),
      ...step.born,
      ...step.gone,
      ...step.sets.map(({ grid }) => grid),
    ]),
  ].filter((grid) => grid >= 0),
  done,
});

/** Tell listeners what a transaction did. */
export function tell(work: Work, txn: Txn, cause: ModelChange['cause']): void {
  if (!didSomething(txn) && txn.grids.size === 0) return;
  const units = new Map<number, readonly number[]>();
  for (const [level, moved] of txn.moved) units.set(level, [...moved.keys()]);
  const change: ModelChange = {
    cause,
    units,
    grids: [...txn.grids],
    structure: txn.alive.size + txn.sets.size > 0,
  };
  for (const listener of [...work.listeners]) listener(change);
}

export const total = (skipped: Skipped): number =>
  skipped.locked + skipped.community + skipped.parent + skipped.trimmed;
