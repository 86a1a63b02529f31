/** Pieces of a set of units, and whether a grid stays in one piece without a unit. */

import type { Borders } from './interface';
import type { Scratch } from './trial';

/** Connected pieces (common border, not a corner) of some units, each unit once. */
export function piecesOf(borders: Borders, scratch: Scratch, units: ArrayLike<number>): number[][] {
  const { slot } = scratch;
  for (let at = 0; at < units.length; at += 1) slot[units[at]!] = -2;
  const pieces: number[][] = [];
  for (let first = 0; first < units.length; first += 1) {
    if (slot[units[first]!] !== -2) continue;
    const piece = [units[first]!];
    slot[units[first]!] = 0;
    for (let head = 0; head < piece.length; head += 1) {
      const unit = piece[head]!;
      for (let at = borders.start[unit]!; at < borders.start[unit + 1]!; at += 1) {
        const other = borders.to[at]!;
        if (slot[other] !== -2) continue;
        slot[other] = 0;
        piece.push(other);
      }
    }
    pieces.push(piece);
  }
  for (let at = 0; at < units.length; at += 1) slot[units[at]!] = -1;
  return pieces;
}

/**
 * Whether the units `held` says are a grid's stay as connected as they are once `unit` leaves: its neighbours in the
 * grid must still reach each other. Ends as soon as they do, so only real bridges cost a walk through the grid.
 */
export function staysWhole(borders: Borders, unit: number, held: (unit: number) => boolean): boolean {
  const wanted = new Set<number>();
  for (let at = borders.start[unit]!; at < borders.start[unit + 1]!; at += 1) {
    if (held(borders.to[at]!)) wanted.add(borders.to[at]!);
  }
  if (wanted.size === 0) return false;
  const [first] = wanted;
  wanted.delete(first!);
  const seen = new Set([unit, first!]);
  const queue = [first!];
  for (let head = 0; head < queue.length && wanted.size > 0; head += 1) {
    const at = queue[head]!;
    for (let k = borders.start[at]!; k < borders.start[at + 1]!; k += 1) {
      const other = borders.to[k]!;
      if (seen.has(other) || !held(other)) continue;
      seen.add(other);
      wanted.delete(other);
      queue.push(other);
    }
  }
  return wanted.size === 0;
}
