/** Arcs strung into rings and lines. */

import { ringArea } from './geometry';
import type { Line, Ring } from './interface';
import type { Topology } from './types';

/** Vertices of arcs laid one after another; arc ~a is arc a walked backwards. */
function laid(topology: Topology, walk: readonly number[]): Line {
  const { points, arcStart } = topology;
  let size = 1;
  for (const step of walk) {
    const arc = step < 0 ? ~step : step;
    size += arcStart[arc + 1]! - arcStart[arc]! - 1;
  }
  const out = new Float64Array(2 * size);
  let used = 0;
  for (const step of walk) {
    const arc = step < 0 ? ~step : step;
    const first = arcStart[arc]!;
    const last = arcStart[arc + 1]! - 1;
    if (step >= 0) {
      // neighbouring arcs share their end vertex: written twice at the same place
      out.set(points.subarray(2 * first, 2 * last + 2), used);
      used += 2 * (last - first);
    } else {
      for (let at = last; at >= first; at -= 1) {
        out[used] = points[2 * at]!;
        out[used + 1] = points[2 * at + 1]!;
        used += 2;
      }
      used -= 2;
    }
  }
  return out;
}

export const lineOfArc = (topology: Topology, arc: number): Line =>
  topology.points.slice(2 * topology.arcStart[arc]!, 2 * topology.arcStart[arc + 1]!);

const begins = (topology: Topology, step: number): number =>
  step < 0 ? topology.arcTo[~step]! : topology.arcFrom[step]!;
const ends = (topology: Topology, step: number): number =>
  step < 0 ? topology.arcFrom[~step]! : topology.arcTo[step]!;

/** Direction in which a walk along an arc leaves its first node, or (`back`) looks back from its last. */
function bearing(topology: Topology, step: number, back: boolean): number {
  const { points, arcStart } = topology;
  const arc = step < 0 ? ~step : step;
  const atHead = step >= 0 !== back;
  const at = atHead ? arcStart[arc]! : arcStart[arc + 1]! - 1;
  const next = atHead ? at + 1 : at - 1;
  return Math.atan2(points[2 * next + 1]! - points[2 * at + 1]!, points[2 * next]! - points[2 * at]!);
}

/**
 * Rings of an outline. `walk`: its arcs, each walked with the inside to the left (~a backwards). Every ring is simple:
 * one that comes through the same node twice is parted there.
 */
export function ringsOfWalk(topology: Topology, walk: readonly number[]): Ring[] {
  const leaving = new Map<number, number[]>();
  for (const step of walk) {
    const node = begins(topology, step);
    const there = leaving.get(node);
    if (there) there.push(step);
    else leaving.set(node, [step]);
  }
  const rings: Ring[] = [];
  const close = (steps: readonly number[]): void => {
    const points = laid(topology, steps);
    rings.push({ points, hole: ringArea(points) < 0 });
  };
  for (const first of walk) {
    let step = taken(leaving, begins(topology, first), first);
    const path: number[] = [];
    const since = new Map<number, number>();
    while (step !== null) {
      since.set(begins(topology, step), path.length);
      path.push(step);
      const node = ends(topology, step);
      const back = since.get(node);
      const arrived: number = step;
      if (back !== undefined) {
        const ring = path.splice(back);
        for (const one of ring) since.delete(begins(topology, one));
        close(ring);
      }
      if (path.length === 0 && back !== undefined) break;
      step = nextOf(topology, leaving, node, arrived);
    }
  }
  return rings;
}

/** Take `step` out of the ones that leave `node`; null when it was taken before. */
function taken(leaving: Map<number, number[]>, node: number, step: number): number | null {
  const there = leaving.get(node);
  const at = there?.indexOf(step) ?? -1;
  if (!there || at < 0) return null;
  there.splice(at, 1);
  return step;
}

/** The next step of the same inside: the first one met turning clockwise from where the walk came. */
function nextOf(
  topology: Topology,
  leaving: Map<number, number[]>,
  node: number,
  arrived: number,
): number | null {
  const there = leaving.get(node);
  if (!there || there.length === 0) return null;
  if (there.length === 1) return taken(leaving, node, there[0]!);
  const from = bearing(topology, arrived, true);
  let best = there[0]!;
  let least = Infinity;
  for (const step of there) {
    let turn = from - bearing(topology, step, false);
    if (turn <= 1e-12) turn += 2 * Math.PI;
    if (turn < least) {
      least = turn;
      best = step;
    }
  }
  return taken(leaving, node, best);
}

/** Outer rings each followed by its holes. */
export function polygonsOfRings(rings: readonly Ring[]): Line[][] {
  const outer = rings.filter((ring) => !ring.hole).map((ring) => [ring.points]);
  const areas = outer.map(([ring]) => ringArea(ring!));
  for (const { points, hole } of rings) {
    if (!hole) continue;
    let home = 0;
    for (let at = 0; at < outer.length; at += 1) {
      const held = outer.length === 1 || holds(outer[at]![0]!, points);
      if (held && (!holds(outer[home]![0]!, points) || areas[at]! < areas[home]!)) home = at;
    }
    outer[home]?.push(points);
  }
  return outer;
}

/** Whether a ring holds another: by the middle of a side of it, since corners may touch. */
function holds(outer: Line, inner: Line): boolean {
  const x = (inner[0]! + inner[2]!) / 2;
  const y = (inner[1]! + inner[3]!) / 2;
  let inside = false;
  for (let at = 0; at + 3 < outer.length; at += 2) {
    const ay = outer[at + 1]!;
    const by = outer[at + 3]!;
    if (ay > y !== by > y && x < outer[at]! + ((y - ay) * (outer[at + 2]! - outer[at]!)) / (by - ay))
      inside = !inside;
  }
  return inside;
}

/** Arcs joined end to end into as few lines as can be. */
export function linesOfArcs(topology: Topology, arcs: ArrayLike<number>): Line[] {
  return walksOfArcs(topology, arcs).map((walk) => laid(topology, walk));
}

/** The same as walks: arc numbers, ~a for one walked backwards. */
export function walksOfArcs(topology: Topology, arcs: ArrayLike<number>): number[][] {
  const touching = new Map<number, number[]>();
  const left = new Set<number>();
  for (let at = 0; at < arcs.length; at += 1) {
    const arc = arcs[at]!;
    left.add(arc);
    for (const node of [topology.arcFrom[arc]!, topology.arcTo[arc]!]) {
      const there = touching.get(node);
      if (there) there.push(arc);
      else touching.set(node, [arc]);
    }
  }
  const walks: number[][] = [];
  const follow = (node: number): void => {
    const walk: number[] = [];
    let at = node;
    for (;;) {
      const arc = touching.get(at)?.find((one) => left.has(one));
      if (arc === undefined) break;
      left.delete(arc);
      const forward = topology.arcFrom[arc] === at;
      walk.push(forward ? arc : ~arc);
      at = forward ? topology.arcTo[arc]! : topology.arcFrom[arc]!;
      // a place where more than two meet ends the line
      if ((touching.get(at)?.length ?? 0) !== 2) break;
    }
    if (walk.length > 0) walks.push(walk);
  };
  for (const [node, there] of touching) if (there.length !== 2) for (const _ of there) follow(node);
  for (const node of touching.keys()) follow(node);
  return walks;
}
