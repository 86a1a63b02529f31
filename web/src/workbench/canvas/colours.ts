/** Colours of grids: neighbours differ for every kind of colour vision, or colours tell the deviation from the band. */
import type { Band } from '../model/types';

/** Paul Tol's "light" scheme: told apart by all, dark text is readable on each. */
export const PALETTE = [
  '#77aadd',
  '#ee8866',
  '#eedd88',
  '#ffaabb',
  '#99ddff',
  '#44bb99',
  '#bbcc33',
  '#aaaa00',
] as const;

export const UNASSIGNED = '#b9bec5';
export const SPECIAL = '#b9a3d9';

/** The classes of deviation, lowest first: too few, a little few, in the band, a little many, too many. */
export const DEVIATION = ['#2f6fb3', '#8fbfe6', '#b7dcae', '#f3b67a', '#cf5a3c'] as const;

/** 0 … 4, an index into DEVIATION. */
export function deviationClass(households: number, { low, high }: Band): number {
  if (households < low) return households < low * 0.8 ? 0 : 1;
  if (households <= high) return 2;
  return households > high * 1.2 ? 4 : 3;
}

/**
 * Give each grid without a colour one none of its neighbours has, the one least used nearby first. Grids that have
 * one keep it unless a neighbour now has the same. Returns the grids whose colour is another one.
 */
export function recolour(
  colours: number[],
  grids: readonly number[],
  neighboursOf: (grid: number) => Iterable<number>,
): number[] {
  const changed: number[] = [];
  for (const grid of grids) {
    const taken = new Set<number>();
    const nearby = new Float32Array(PALETTE.length);
    for (const other of neighboursOf(grid)) {
      if (other === grid || other < 0) continue;
      const colour = colours[other] ?? -1;
      if (colour < 0) continue;
      taken.add(colour);
      nearby[colour]! += 1;
    }
    const now = colours[grid] ?? -1;
    if (now >= 0 && !taken.has(now)) continue;
    let best = -1;
    for (let colour = 0; colour < PALETTE.length; colour += 1) {
      // spread over the palette from grid to grid, so that not all are blue
      const candidate = (colour + grid * 3) % PALETTE.length;
      if (best < 0 || nearby[candidate]! < nearby[best]!) best = candidate;
    }
    if (best !== now) {
      colours[grid] = best;
      changed.push(grid);
    }
  }
  return changed;
}
