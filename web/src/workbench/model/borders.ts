/** Which units touch, and which arcs run round each: CSR arrays made once from the arcs. */

import type { Borders } from './interface';
import type { Topology } from './types';

/** Neighbour pairs (both directions, ascending) with summed metres, and the arcs of every unit. */
export function bordersOf(topology: Topology): Borders {
  const n = topology.unitIds.length;
  const { arcStart, arcs } = arcsOfUnits(topology, n);
  const start = new Int32Array(n + 1);
  const room = arcs.length;
  const to = new Int32Array(room);
  const metres = new Float64Array(room);
  const barrier = new Float64Array(room);
  const cls = new Int8Array(room);
  const place = new Int32Array(n).fill(-1);
  let used = 0;
  for (let unit = 0; unit < n; unit += 1) {
    const first = used;
    const found: number[] = [];
    for (let at = arcStart[unit]!; at < arcStart[unit + 1]!; at += 1) {
      const other = across(topology, arcs[at]!, unit);
      if (other >= 0 && place[other] === -1) {
        place[other] = -2;
        found.push(other);
      }
    }
    found.sort((one, two) => one - two);
    for (const other of found) {
      place[other] = used;
      to[used] = other;
      used += 1;
    }
    for (let at = arcStart[unit]!; at < arcStart[unit + 1]!; at += 1) {
      const arc = arcs[at]!;
      const other = across(topology, arc, unit);
      if (other < 0) continue;
      const slot = place[other]!;
      const length = topology.metres[arc]!;
      metres[slot]! += length;
      if (topology.arcClass[arc]! >= topology.major) barrier[slot]! += length;
      if (topology.arcClass[arc]! > cls[slot]!) cls[slot] = topology.arcClass[arc]!;
    }
    for (let slot = first; slot < used; slot += 1) place[to[slot]!] = -1;
    start[unit + 1] = used;
  }
  return {
    start,
    to: to.slice(0, used),
    metres: metres.slice(0, used),
    barrier: barrier.slice(0, used),
    cls: cls.slice(0, used),
    arcStart,
    arcs,
  };
}

/** The unit on the other side of an arc, −1 the outside. */
export const across = (topology: Topology, arc: number, unit: number): number =>
  topology.arcLeft[arc] === unit ? topology.arcRight[arc]! : topology.arcLeft[arc]!;

function arcsOfUnits(topology: Topology, n: number): { arcStart: Int32Array; arcs: Int32Array } {
  const { arcLeft, arcRight } = topology;
  const arcStart = new Int32Array(n + 1);
  for (let arc = 0; arc < arcLeft.length; arc += 1) {
    // a slit inside one unit parts nothing
    if (arcLeft[arc] === arcRight[arc]) continue;
    if (arcLeft[arc]! >= 0) arcStart[arcLeft[arc]! + 1]! += 1;
    if (arcRight[arc]! >= 0) arcStart[arcRight[arc]! + 1]! += 1;
  }
  for (let unit = 0; unit < n; unit += 1) arcStart[unit + 1]! += arcStart[unit]!;
  const arcs = new Int32Array(arcStart[n]!);
  const next = arcStart.slice(0, n);
  for (let arc = 0; arc < arcLeft.length; arc += 1) {
    if (arcLeft[arc] === arcRight[arc]) continue;
    for (const unit of [arcLeft[arc]!, arcRight[arc]!]) {
      if (unit < 0) continue;
      arcs[next[unit]!] = arc;
      next[unit]! += 1;
    }
  }
  return { arcStart, arcs };
}
