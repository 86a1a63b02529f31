/** A level of a plan in a few numbers. */

import type { Summary } from './interface';
import { beyond, compactnessOf, isOrdinary, SUMS, Sum, type Level, type State } from './state';
import type { Problem } from './types';

/** `compounds`: those small enough for one grid. */
export function summed(state: State, level: Level, problems: readonly Problem[], compounds: number): Summary {
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
