/** Work kept over a reload: what is not saved, the edit under way, and the history. */

import type { SaveRequest } from './interface';
import { changedUnits, sentCode, unitKey, type Conflicts } from './saving';
import { addGrid, codeKey, levelOf, SUMS, type Saved } from './state';
import type { PlanGrid } from './types';
import { doAlive, doMove, doSet, newTxn, type Step, type Txn, type Work } from './work';

export interface Flight {
  request: SaveRequest;
  /** Numbers of the grids the request calls `new:N`, by `level:code`. */
  numbers: [string, number][];
}

/** Grids by the numbers they had, with what was saved of them. */
export interface Kept {
  form: 1;
  unitSet: number;
  base: number;
  grids: { now: PlanGrid; saved: Saved | null }[];
  moves: { level: number; from: number; to: number; units: number[] }[];
  steps: Step[];
  cursor: number;
  flight: Flight | null;
}

export function kept(work: Work, flight: Flight | null): Kept {
  const { state } = work;
  return {
    form: 1,
    unitSet: work.plan.unitSet,
    base: work.version,
    grids: state.grids.map((now, grid) => ({ now: { ...now }, saved: state.saved[grid] ?? null })),
    moves: changedUnits(state, new Map()).map(({ level, from, to, units }) => ({
      level: level.level,
      from,
      to,
      units,
    })),
    steps: work.steps,
    cursor: work.cursor,
    flight,
  };
}

/** The record, if it is one of this plan's units. */
export function asKept(work: Work, found: unknown): Kept | null {
  const record = found as Kept | null | undefined;
  return record?.form === 1 && record.unitSet === work.plan.unitSet && Array.isArray(record.steps)
    ? record
    : null;
}

/**
 * Put kept work on top of what the service has now. `codes`: those it has given to kept `new:N`. Units somebody else
 * has given to another grid meanwhile are entered in `conflicts`, their author unknown.
 */
export function bringBack(
  work: Work,
  record: Kept,
  codes: Readonly<Record<string, string>>,
  conflicts: Conflicts,
): Txn {
  const { state } = work;
  const txn = newTxn('assign');
  const numbers = record.grids.map(({ now, saved }) => known(work, txn, now, saved, codes));
  const of = (grid: number): number => (grid < 0 ? -1 : numbers[grid]!);
  for (const { level: number, from, to, units } of record.moves) {
    const level = levelOf(state, number);
    for (const unit of units) {
      const there = level.saved[unit]!;
      if (there === of(to)) continue;
      doMove(work, txn, level, unit, of(to));
      if (there === of(from)) continue;
      conflicts.set(unitKey(number, unit), {
        level: number,
        unit,
        yours: { from: sentCode(state, of(from)), to: sentCode(state, of(to)) },
        theirs: sentCode(state, there),
        author: '',
        at: '',
        version: work.version,
        locked: false,
      });
    }
  }
  for (const [at, { now, saved }] of record.grids.entries()) {
    const grid = numbers[at]!;
    const used = state.sums[grid * SUMS]! > 0;
    // one ended here stays so unless somebody gave it units; one begun here is there even without
    if (saved && !now.alive && !used) doAlive(work, txn, grid, false);
    if (now.alive && (used || (!saved && now.code.startsWith('new:')))) doAlive(work, txn, grid, true);
  }
  work.steps = record.steps.map((step) => ({
    ...step,
    moves: step.moves.map((move) => ({ ...move, from: of(move.from), to: of(move.to) })),
    born: step.born.map(of),
    gone: step.gone.map(of),
    sets: step.sets.map((one) => ({ ...one, grid: of(one.grid) })),
  }));
  work.cursor = record.cursor;
  work.nextStep = work.steps.reduce((most, step) => Math.max(most, step.id), 0) + 1;
  return txn;
}

/** Number a kept grid has now; name, kind, lock and code changed here are changed again. */
function known(
  work: Work,
  txn: Txn,
  now: PlanGrid,
  saved: Saved | null,
  codes: Readonly<Record<string, string>>,
): number {
  const { state } = work;
  const code = saved?.code ?? codes[now.code] ?? now.code;
  const found = state.byCode.get(codeKey(now.level, code));
  if (found === undefined) return addGrid(state, { ...now, alive: false }, null);
  if (saved) {
    for (const key of ['name', 'kind', 'locked', 'code'] as const) {
      const free = key !== 'code' || !state.byCode.has(codeKey(now.level, now.code));
      if (now[key] !== saved[key] && state.grids[found]![key] === saved[key] && free) {
        doSet(work, txn, found, key, now[key]);
      }
    }
  }
  return found;
}
