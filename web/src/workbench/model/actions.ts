/** What a planner does to a plan. Every action is one step of the history, or part of the stroke that is open. */

import type { GridBirth, Moves, Outcome, Refusal, Skipped, StepKind } from './interface';
import { sharedArcs } from './outlines';
import { addGrid, codeKey, freshCode, levelOf, parentOf, SUMS, Sum, unitsOf, type State } from './state';
import { admitted, nothingSkipped } from './trial';
import type { Operation } from './types';
import {
  didSomething,
  doAlive,
  doMove,
  doMoves,
  doSet,
  perform,
  total,
  type SetKey,
  type SetValue,
  type Txn,
  type Work,
} from './work';

export const refuse = (reason: Refusal, skipped: Skipped = nothingSkipped()): Outcome => ({
  ok: false,
  reason,
  skipped,
});

const done = (txn: Txn, level: number, grid = -1, skipped = nothingSkipped()): Outcome => ({
  ok: true,
  grids: [...txn.grids],
  units: [...(txn.moved.get(level)?.keys() ?? [])],
  grid,
  skipped,
});

/** What most stood in the way. */
function worst(skipped: Skipped): Refusal {
  if (total(skipped) === 0) return 'nothing';
  if (skipped.locked >= skipped.community && skipped.locked >= skipped.parent) return 'locked';
  return skipped.community >= skipped.parent ? 'community' : 'parent';
}

/** Why a grid cannot be changed, null when it can. */
export function closed(work: Work, ...grids: number[]): Refusal | null {
  if (work.plan.status === 'published') return 'published';
  for (const grid of grids) {
    const found = work.state.grids[grid];
    if (!found?.alive) return 'ended';
    if (found.locked) return 'locked';
    if (found.level !== work.state.grids[grids[0]!]!.level) return 'level';
    if (childrenOf(work.state, grid).some((child) => work.state.grids[child]!.locked)) return 'locked';
  }
  return null;
}

export function apply(work: Work, asked: Moves, kind: StepKind): Outcome {
  if (work.plan.status === 'published') return refuse('published');
  const { state } = work;
  if (asked.to.some((grid) => grid >= 0 && !state.grids[grid]?.alive)) return refuse('ended');
  if (asked.to.some((grid) => grid >= 0 && state.grids[grid]!.level !== asked.level)) return refuse('level');
  const { moves, skipped } = admitted(state, work.scratch, asked);
  if (moves.units.length === 0) return refuse(worst(skipped), skipped);
  const txn = perform(work, kind, (one) =>
    doMoves(work, one, levelOf(state, asked.level), moves.units, moves.to),
  );
  return done(txn, asked.level, asked.to[0] ?? -1, skipped);
}

export function assign(work: Work, units: readonly number[], grid: number | null, level: number): Outcome {
  const to = grid ?? -1;
  const moves = { level, units, to: units.map(() => to) };
  return apply(work, moves, to < 0 ? 'unassign' : 'assign');
}

/** A new grid's data; it is not in the plan before `doAlive`. */
function newGrid(state: State, birth: GridBirth, community: string, parent: number): number {
  const code = freshCode(state);
  return addGrid(
    state,
    {
      code,
      name: birth.name ?? '',
      kind: birth.kind ?? 'ordinary',
      level: birth.level,
      parent: parent >= 0 ? state.grids[parent]!.code : null,
      community,
      locked: false,
      alive: false,
    },
    null,
  );
}

export function createGrid(work: Work, birth: GridBirth, units: readonly number[]): Outcome {
  if (work.plan.status === 'published') return refuse('published');
  const { state } = work;
  const level = levelOf(state, birth.level);
  const above = birth.level > 1 ? state.levels.find((one) => one.level === birth.level - 1) : undefined;
  const parent = birth.parent ?? (above && units.length > 0 ? above.owner[units[0]!]! : -1);
  const there = units.length > 0 ? state.topology.community[units[0]!]! : -1;
  const community =
    birth.community ??
    (there >= 0 ? state.topology.communities[there]!.code : undefined) ??
    (parent >= 0 ? state.grids[parent]!.community : undefined) ??
    state.topology.communities[0]?.code ??
    work.plan.area;
  if (above && parent < 0) return refuse('parent');
  const grid = newGrid(state, birth, community, parent);
  const { moves, skipped } = admitted(state, work.scratch, {
    level: birth.level,
    units,
    to: units.map(() => grid),
  });
  if (units.length > 0 && moves.units.length === 0) return refuse(worst(skipped), skipped);
  const txn = perform(work, 'create', (one) => {
    doAlive(work, one, grid, true);
    doMoves(work, one, level, moves.units, moves.to);
  });
  return done(txn, birth.level, grid, skipped);
}

export function removeGrid(work: Work, grid: number): Outcome {
  const why = closed(work, grid);
  if (why) return refuse(why);
  const { state } = work;
  const level = state.grids[grid]!.level;
  const txn = perform(work, 'remove', (one) => {
    const units = [...unitsOf(state, grid)];
    doMoves(
      work,
      one,
      levelOf(state, level),
      units,
      units.map(() => -1),
    );
    doAlive(work, one, grid, false);
  });
  return done(txn, level, grid);
}

/** Grids in the plan that lie in a grid, deepest first. */
export function childrenOf(state: State, grid: number): number[] {
  if (state.levels.length < 2) return [];
  const out: number[] = [];
  for (let child = 0; child < state.grids.length; child += 1) {
    if (!state.grids[child]!.alive) continue;
    let above = parentOf(state, child);
    while (above >= 0 && above !== grid) above = parentOf(state, above);
    if (above === grid) out.push(child);
  }
  return out.sort((one, two) => state.grids[two]!.level - state.grids[one]!.level);
}

/**
 * Give units of `old` to `into` with the grids inside them: a part of a smaller grid that goes over becomes a smaller
 * grid there, so that merging and splitting do not dissolve what lies within.
 */
export function handOver(work: Work, txn: Txn, old: number, into: number, units: readonly number[]): void {
  const { state } = work;
  const level = levelOf(state, state.grids[old]!.level);
  const inner = childrenOf(state, old).filter((child) => parentOf(state, child) === old);
  for (const unit of units) doMove(work, txn, level, unit, into);
  for (const child of inner) {
    const below = levelOf(state, state.grids[child]!.level);
    const over = units.filter((unit) => below.owner[unit] === child);
    if (over.length === 0) continue;
    const { name, kind, community } = state.grids[child]!;
    const whole = over.length === state.sums[child * SUMS];
    const heir = newGrid(state, { level: below.level, kind, name: whole ? name : '' }, community, into);
    doAlive(work, txn, heir, true);
    handOver(work, txn, child, heir, over);
    if (whole) doAlive(work, txn, child, false);
  }
  doMoves(
    work,
    txn,
    level,
    units,
    units.map(() => into),
  );
}

export function merge(work: Work, a: number, b: number): Outcome {
  const why = a === b ? 'nothing' : closed(work, a, b);
  if (why) return refuse(why);
  const { state } = work;
  if (state.grids[a]!.community !== state.grids[b]!.community) return refuse('community');
  if (state.grids[a]!.parent !== state.grids[b]!.parent) return refuse('parent');
  const empty = state.sums[b * SUMS] === 0;
  if (!empty && sharedArcs(state, a, b).length === 0) return refuse('not_neighbours');
  const txn = perform(work, 'merge', (one) => {
    handOver(work, one, b, a, [...unitsOf(state, b)]);
    doAlive(work, one, b, false);
  });
  return done(txn, state.grids[a]!.level, a);
}

/** Divide a grid: `left` or `right`, whichever has fewer households, becomes a new grid. */
export function divide(work: Work, grid: number, left: readonly number[], right: readonly number[]): Outcome {
  const { state } = work;
  const homes = (units: readonly number[]): number =>
    units.reduce((sum, unit) => sum + state.topology.households[unit]!, 0);
  const area = (units: readonly number[]): number =>
    units.reduce((sum, unit) => sum + state.topology.area[unit]!, 0);
  const more = homes(left) - homes(right) || area(left) - area(right);
  const off = more >= 0 ? right : left;
  const { level, kind, community } = state.grids[grid]!;
  const made = newGrid(state, { level, kind }, community, parentOf(state, grid));
  const txn = perform(work, 'split', (one) => {
    doAlive(work, one, made, true);
    handOver(work, one, grid, made, off);
  });
  return done(txn, level, made);
}

function set(work: Work, kind: StepKind, grids: readonly number[], key: SetKey, to: SetValue): Outcome {
  if (work.plan.status === 'published') return refuse('published');
  if (grids.some((grid) => !work.state.grids[grid]?.alive)) return refuse('ended');
  const differ = grids.filter((grid) => work.state.grids[grid]![key] !== to);
  if (differ.length === 0) return refuse('nothing');
  const txn = perform(work, kind, (one) => {
    for (const grid of differ) doSet(work, one, grid, key, to);
  });
  return done(txn, work.state.grids[differ[0]!]!.level, differ[0]!);
}

export const setLocked = (work: Work, grids: readonly number[], locked: boolean): Outcome =>
  set(work, locked ? 'lock' : 'unlock', grids, 'locked', locked);

/** Name or kind; not of a locked grid. */
export function setText(work: Work, grid: number, key: 'name' | 'kind', to: string): Outcome {
  return work.state.grids[grid]?.locked ? refuse('locked') : set(work, key, [grid], key, to.trim());
}

export function renumber(work: Work, grid: number, code: string): Outcome {
  const why = closed(work, grid);
  if (why) return refuse(why);
  const { state } = work;
  const found = state.grids[grid]!;
  if (found.code === code) return refuse('nothing');
  const long = found.code.startsWith('new:') ? /^\d{14,24}$/.test(code) : code.length === found.code.length;
  if (!/^\d+$/.test(code) || !long) return refuse('code');
  if (/^\d+$/.test(found.community) && !code.startsWith(found.community)) return refuse('code');
  if (heldBy(state, found.level, code) >= 0) return refuse('taken');
  const old = found.code;
  const inner = childrenOf(state, grid).filter((child) => state.grids[child]!.code.startsWith(old));
  const txn = perform(work, 'renumber', (one) => {
    // codes of the grids inside begin with the code of the grid
    for (const child of inner.reverse()) {
      const to = code + state.grids[child]!.code.slice(old.length);
      if (heldBy(state, state.grids[child]!.level, to) < 0) doSet(work, one, child, 'code', to);
    }
    doSet(work, one, grid, 'code', code);
  });
  return done(txn, found.level, grid);
}

/** Number of the grid in the plan with a code, −1 for none. */
function heldBy(state: State, level: number, code: string): number {
  const found = state.byCode.get(codeKey(level, code)) ?? -1;
  return found >= 0 && state.grids[found]!.alive ? found : -1;
}

/** Operations as the service words them, in one step; what is no longer as they say is left alone. */
export function applyOperations(work: Work, operations: readonly Operation[], kind: StepKind): Outcome {
  if (work.plan.status === 'published') return refuse('published');
  const { state } = work;
  const named = new Map<string, number>();
  const number = (level: number, code: string | null): number =>
    code === null ? -1 : (named.get(`${level}:${code}`) ?? state.byCode.get(codeKey(level, code)) ?? -2);
  const skipped = nothingSkipped();
  const txn = perform(work, kind, (one) => {
    for (const op of operations) {
      if (op.op === 'create') {
        const parent = op.parent === null ? -1 : number(op.level - 1, op.parent);
        const { level, kind: sort, name } = op;
        const grid = newGrid(state, { level, kind: sort, name: name ?? '' }, op.community, parent);
        named.set(`${op.level}:${op.code}`, grid);
        doAlive(work, one, grid, true);
      } else if (op.op === 'assign') {
        const [from, to] = [number(op.level, op.from), number(op.level, op.to)];
        const level = levelOf(state, op.level);
        const units = from === -2 || to === -2 ? [] : op.units.filter((unit) => level.owner[unit] === from);
        const { moves, skipped: left } = admitted(state, work.scratch, {
          level: op.level,
          units,
          to: units.map(() => to),
        });
        for (const key of ['locked', 'community', 'parent'] as const) skipped[key] += left[key];
        doMoves(work, one, level, moves.units, moves.to);
      } else {
        const grid = number(op.level, op.grid);
        if (grid < 0 || !state.grids[grid]!.alive) continue;
        if (op.op === 'remove' && state.sums[grid * SUMS + Sum.units] === 0) doAlive(work, one, grid, false);
        if (op.op === 'renumber') doSet(work, one, grid, 'code', op.to);
        if (op.op === 'set') {
          for (const key of ['name', 'kind', 'locked'] as const) {
            const change = op[key];
            if (change && state.grids[grid]![key] === change.from) doSet(work, one, grid, key, change.to);
          }
        }
      }
    }
  });
  return didSomething(txn)
    ? done(txn, operations[0]?.level ?? 1, -1, skipped)
    : refuse(worst(skipped), skipped);
}
