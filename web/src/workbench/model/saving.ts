/**
 * What of a plan is not saved yet, as operations; and edits of the service taken in. Saved owners and data of grids are
 * kept beside the present ones, so what is sent is the net difference: a stroke undone is not sent at all, and an edit
 * of somebody else's changes what is saved under one's own work, unit by unit (a three-way merge).
 */

import { misplaced } from './follow';
import type { Conflict } from './interface';
import {
  addGrid,
  codeKey,
  levelOf,
  parentOf,
  recode,
  setSaved,
  SUMS,
  type Level,
  type Saved,
  type State,
} from './state';
import type { Operation } from './types';
import { doAlive, doMove, doSet, newTxn, type Txn, type Work } from './work';

export const unitKey = (level: number, unit: number): string => `${level}:${unit}`;
export type Conflicts = Map<string, Conflict>;

/** Code the service knows a grid by, or will from the operation that creates it. */
export const sentCode = (state: State, grid: number): string | null =>
  grid < 0 ? null : (state.saved[grid]?.code ?? state.grids[grid]!.code);

interface Group {
  level: Level;
  from: number;
  to: number;
  units: number[];
}

/** Units that differ from what is saved, by where from and to; units in conflict wait. */
export function changedUnits(state: State, held: ReadonlyMap<string, unknown>): Group[] {
  const groups = new Map<string, Group>();
  for (const level of state.levels) {
    for (const unit of level.dirty) {
      if (held.size > 0 && isHeld(state, held, level, unit)) continue;
      const from = level.saved[unit]!;
      const to = level.owner[unit]!;
      const key = `${level.level}:${from}:${to}`;
      let group = groups.get(key);
      if (!group) groups.set(key, (group = { level, from, to, units: [] }));
      group.units.push(unit);
    }
  }
  for (const { units } of groups.values()) units.sort((one, two) => one - two);
  return [...groups.values()];
}

/** A unit in conflict waits on deeper levels too: they lie inside what it is about. */
const isHeld = (state: State, held: ReadonlyMap<string, unknown>, level: Level, unit: number): boolean =>
  state.levels.some((one) => one.level <= level.level && held.has(unitKey(one.level, unit)));

/** What is to be sent, in an order the service can follow: locks opened first and closed last. */
export function pendingOperations(state: State, held: Conflicts): Operation[] {
  const groups = changedUnits(state, held);
  const touched = new Set(groups.flatMap(({ from, to }) => [from, to]));
  const waiting = new Set([...held.values()].map(({ level, unit }) => levelOf(state, level).saved[unit]!));
  const ends = new Set<number>();
  for (const [grid, saved] of state.saved.entries()) {
    const now = state.grids[grid]!;
    if (!saved) continue;
    if (!now.alive && !waiting.has(grid)) ends.add(grid);
    const differs = saved.name !== now.name || saved.kind !== now.kind || saved.code !== now.code;
    if (differs || ends.has(grid)) touched.add(grid);
  }
  const [unlocks, creates, assigns, sets, removes, renumbers, locks]: Operation[][] = [
    [],
    [],
    [],
    [],
    [],
    [],
    [],
  ];
  for (const { level, from, to, units } of groups) {
    assigns!.push({
      op: 'assign',
      level: level.level,
      from: sentCode(state, from),
      to: sentCode(state, to),
      units,
    });
  }
  for (const [grid, now] of state.grids.entries()) {
    const saved = state.saved[grid]!;
    const level = now.level;
    if (!saved) {
      if (now.alive && touched.has(grid)) {
        creates!.push({
          op: 'create',
          code: now.code,
          level,
          community: now.community,
          parent: sentCode(state, parentOf(state, grid)),
          kind: now.kind,
          ...(now.name ? { name: now.name } : {}),
        });
        if (now.locked) locks!.push({ op: 'set', level, grid: now.code, locked: { from: false, to: true } });
      }
      continue;
    }
    const opened = saved.locked && (!now.locked || touched.has(grid));
    if (opened) unlocks!.push({ op: 'set', level, grid: saved.code, locked: { from: true, to: false } });
    if (ends.has(grid)) removes!.push({ op: 'remove', level, grid: saved.code });
    if (!now.alive) continue;
    const name = saved.name === now.name ? {} : { name: { from: saved.name, to: now.name } };
    const kind = saved.kind === now.kind ? {} : { kind: { from: saved.kind, to: now.kind } };
    if ('name' in name || 'kind' in kind)
      sets!.push({ op: 'set', level, grid: saved.code, ...name, ...kind });
    if (saved.code !== now.code) renumbers!.push({ op: 'renumber', level, grid: saved.code, to: now.code });
    if (now.locked && (!saved.locked || opened)) {
      locks!.push({ op: 'set', level, grid: now.code, locked: { from: false, to: true } });
    }
  }
  creates!.sort((one, two) => one.level - two.level);
  return [unlocks!, creates!, assigns!, sets!, removes!, renumbers!, locks!].flat();
}

/** How much is not saved: units and grids. */
export function pendingCount(state: State): number {
  let count = state.levels.reduce((sum, level) => sum + level.dirty.size, 0);
  for (const [grid, saved] of state.saved.entries()) {
    const now = state.grids[grid]!;
    if (!saved) continue;
    const same = saved.name === now.name && saved.kind === now.kind && saved.code === now.code;
    if (!now.alive || !same || saved.locked !== now.locked) count += 1;
  }
  return count;
}

// --- taking in edits ------------------------------------------------------------------------------

export interface Source {
  author: string;
  at: string;
  version: number;
  /** Numbers of the grids an edit of ours called `new:N`, and the codes they were given. */
  ours?: { numbers: ReadonlyMap<string, number>; codes: Readonly<Record<string, string>> };
}

/**
 * Operations the service has stored become what is saved. What was not changed here follows; units given to another
 * grid here stay so and are entered in `conflicts`. Taking in one's own edit a second time changes nothing.
 */
export function takeIn(
  work: Work,
  operations: readonly Operation[],
  source: Source,
  conflicts: Conflicts,
): Txn {
  const { state } = work;
  const txn = newTxn('theirs');
  const known = new Map<string, number>();
  for (const [grid, saved] of state.saved.entries()) {
    if (saved) known.set(codeKey(state.grids[grid]!.level, saved.code), grid);
  }
  const find = (level: number, code: string | null): number => {
    if (code === null) return -1;
    return source.ours?.numbers.get(codeKey(level, code)) ?? known.get(codeKey(level, code)) ?? -2;
  };
  for (let at = 0; at < operations.length; at += 1) {
    const op = operations[at]!;
    if (op.op === 'assign') {
      takeUnits(work, txn, op.level, op.units, find(op.level, op.to), source, conflicts);
    } else if (op.op === 'create') {
      const grid = takeBirth(work, txn, op, find(op.level, op.code), source);
      known.set(codeKey(op.level, state.saved[grid]!.code), grid);
    } else if (op.op === 'remove') {
      const grid = find(op.level, op.grid);
      if (grid < 0) continue;
      known.delete(codeKey(op.level, op.grid));
      state.saved[grid] = null;
      // one that has units here lives on here, and begins anew when that is saved
      if (state.sums[grid * SUMS] === 0) doAlive(work, txn, grid, false);
      txn.grids.add(grid);
    } else if (op.op === 'set') {
      const grid = find(op.level, op.grid);
      if (grid >= 0) takeData(work, txn, op, grid, source, conflicts);
    } else {
      // those side by side happen at once: two may swap codes
      const batch: [number, string][] = [];
      for (; operations[at]?.op === 'renumber'; at += 1) {
        const one = operations[at] as Extract<Operation, { op: 'renumber' }>;
        const grid = find(one.level, one.grid);
        if (grid >= 0) batch.push([grid, one.to]);
      }
      at -= 1;
      takeCodes(work, txn, batch, known);
    }
  }
  for (const level of state.levels.slice(1)) {
    // smaller grids of ours cannot hold what now lies elsewhere
    const wrong = [...level.dirty].filter((unit) => misplaced(state, level, unit));
    for (const unit of wrong) doMove(work, txn, level, unit, level.saved[unit]!);
  }
  for (const [key, one] of conflicts) {
    const level = levelOf(state, one.level);
    if (level.owner[one.unit] === level.saved[one.unit]) conflicts.delete(key);
  }
  return txn;
}

function takeUnits(
  work: Work,
  txn: Txn,
  number: number,
  units: readonly number[],
  to: number,
  source: Source,
  conflicts: Conflicts,
): void {
  if (to === -2) return;
  const { state } = work;
  const level = levelOf(state, number);
  for (const unit of units) {
    const old = level.saved[unit]!;
    if (old === to) continue;
    const mine = level.owner[unit]!;
    const yours = { from: sentCode(state, old), to: sentCode(state, mine) };
    setSaved(level, unit, to);
    // what happened here while our own edit was under way stays
    if (source.ours) continue;
    if (mine === old) doMove(work, txn, level, unit, to);
    else if (mine !== to) {
      const { author, at, version } = source;
      const theirs = sentCode(state, to);
      conflicts.set(unitKey(number, unit), {
        level: number,
        unit,
        yours,
        theirs,
        author,
        at,
        version,
        locked: false,
      });
    }
    if (to >= 0 && !state.grids[to]!.alive) doAlive(work, txn, to, true);
  }
}

function takeBirth(
  work: Work,
  txn: Txn,
  op: Extract<Operation, { op: 'create' }>,
  found: number,
  source: Source,
): number {
  const { state } = work;
  const code = source.ours?.codes[op.code] ?? op.code;
  const saved: Saved = { code, name: op.name ?? '', kind: op.kind, locked: false };
  let grid = found >= 0 ? found : (state.byCode.get(codeKey(op.level, code)) ?? -1);
  if (grid < 0) {
    const { level, community, parent, kind } = op;
    grid = addGrid(
      state,
      { code, name: saved.name, kind, level, parent, community, locked: false, alive: false },
      saved,
    );
    doAlive(work, txn, grid, true);
    return grid;
  }
  const now = state.grids[grid]!;
  const before = state.saved[grid];
  // in the feed our own grid comes again, with the name the service gave it
  state.saved[grid] = before ? { ...before, name: op.name ?? before.name } : saved;
  if (source.ours) {
    if (now.code === op.code) recode(state, grid, code);
  } else if (!before) {
    // somebody began a grid under the code of one that had ended here
    Object.assign(now, {
      name: saved.name,
      kind: saved.kind,
      parent: op.parent,
      community: op.community,
      locked: false,
    });
    doAlive(work, txn, grid, true);
  }
  if (now.name === (before?.name ?? '') && op.name) doSet(work, txn, grid, 'name', op.name);
  txn.sets.set(`${grid}:birth`, { grid, key: 'code', from: op.code });
  txn.grids.add(grid);
  return grid;
}

function takeData(
  work: Work,
  txn: Txn,
  op: Extract<Operation, { op: 'set' }>,
  grid: number,
  source: Source,
  conflicts: Conflicts,
): void {
  const { state } = work;
  const saved = state.saved[grid]!;
  const now = state.grids[grid]!;
  for (const key of ['name', 'kind', 'locked'] as const) {
    const change = op[key];
    if (!change) continue;
    const untouched = now[key] === saved[key];
    state.saved[grid] = { ...state.saved[grid]!, [key]: change.to };
    if (untouched && !source.ours) doSet(work, txn, grid, key, change.to);
  }
  if (op.locked && !source.ours) lockedBy(state, grid, op.locked.to, source, conflicts);
}

/** Somebody locked a grid: units of ours that leave or join it cannot be saved. Opened: they can. */
function lockedBy(state: State, grid: number, locked: boolean, source: Source, conflicts: Conflicts): void {
  const level = levelOf(state, state.grids[grid]!.level);
  for (const unit of level.dirty) {
    const from = level.saved[unit]!;
    const to = level.owner[unit]!;
    if (from !== grid && to !== grid) continue;
    const key = unitKey(level.level, unit);
    const known = conflicts.get(key);
    if (!locked) {
      if (known?.locked) conflicts.delete(key);
    } else if (!known) {
      const yours = { from: sentCode(state, from), to: sentCode(state, to) };
      const { author, at, version } = source;
      const theirs = sentCode(state, from);
      conflicts.set(key, { level: level.level, unit, yours, theirs, author, at, version, locked: true });
    }
  }
}

function takeCodes(
  work: Work,
  txn: Txn,
  batch: readonly [number, string][],
  known: Map<string, number>,
): void {
  const { state } = work;
  const follows = batch.filter(([grid]) => state.grids[grid]!.code === state.saved[grid]!.code);
  for (const [grid] of batch) known.delete(codeKey(state.grids[grid]!.level, state.saved[grid]!.code));
  // by way of codes nobody has, so that swapped ones do not meet
  for (const [grid] of follows) recode(state, grid, `moving:${grid}`);
  for (const [grid, code] of batch) {
    state.saved[grid] = { ...state.saved[grid]!, code };
    known.set(codeKey(state.grids[grid]!.level, code), grid);
  }
  for (const [grid, code] of follows) doSet(work, txn, grid, 'code', code);
}
