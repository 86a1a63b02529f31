/** Deeper levels follow: a unit that left the grid above its own joins a neighbour inside the new one. */

import { levelOf, parentOf, type Level, type State } from './state';

/**
 * Of `units`, those on level `deeper` whose grid is no part of what they lie in now, with the grid they go to: the one
 * inside with the longest common border (of equal ones the lower code), −1 where none touches. Units deep in a moved
 * piece join in rounds, once those before them have.
 */
export function follow(state: State, deeper: Level, units: readonly number[]): Map<number, number> {
  const goals = new Map<number, number>();
  let waiting = units.filter((unit) => strays(state, deeper, unit));
  for (const unit of waiting) goals.set(unit, -1);
  while (waiting.length > 0) {
    const found: [number, number][] = [];
    for (const unit of waiting) {
      const goal = nearest(state, deeper, goals, unit);
      if (goal >= 0) found.push([unit, goal]);
    }
    if (found.length === 0) break;
    for (const [unit, goal] of found) goals.set(unit, goal);
    waiting = waiting.filter((unit) => goals.get(unit) === -1);
  }
  return goals;
}

/** The level whose grids are parents of this level's. */
const above = (state: State, level: Level): Level | null =>
  state.levels.filter((one) => one.level < level.level).at(-1) ?? null;

/** Whether a unit's grid is no part of the grid it lies in one level up. */
export const misplaced = (state: State, level: Level, unit: number): boolean =>
  level.owner[unit]! >= 0 && strays(state, level, unit);

function strays(state: State, deeper: Level, unit: number): boolean {
  const own = deeper.owner[unit]!;
  const over = above(state, deeper);
  if (!over) return false;
  if (own < 0) return over.owner[unit]! >= 0;
  const parent = parentOf(state, own);
  return parent < 0 || levelOf(state, state.grids[parent]!.level).owner[unit] !== parent;
}

function nearest(state: State, deeper: Level, goals: ReadonlyMap<number, number>, unit: number): number {
  const home = above(state, deeper)?.owner[unit] ?? -1;
  if (home < 0) return -1;
  const { borders } = state;
  const metres = new Map<number, number>();
  for (let at = borders.start[unit]!; at < borders.start[unit + 1]!; at += 1) {
    const other = borders.to[at]!;
    const grid = goals.get(other) ?? deeper.owner[other]!;
    if (grid < 0 || parentOf(state, grid) !== home || state.grids[grid]!.locked) continue;
    metres.set(grid, (metres.get(grid) ?? 0) + borders.metres[at]!);
  }
  let best = -1;
  let most = 0;
  for (const [grid, length] of metres) {
    const lower = best < 0 || state.grids[grid]!.code < state.grids[best]!.code;
    if (length > most || (length === most && lower)) {
      best = grid;
      most = length;
    }
  }
  return best;
}
