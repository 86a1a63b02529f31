/**
 * The borders of a unit set made ready for drawing: local coordinates, boxes, and lines with fewer vertices for small
 * scales. Neighbours share their arcs, so what is simplified stays without gaps.
 */
import type { Topology } from '../model/types';

/** Borders with at most `tolerance` metres left out. Vertices of arc `a`: `start[a] … start[a + 1]`, x, y pairs. */
export interface Detail {
  tolerance: number;
  points: Float32Array;
  start: Uint32Array;
}

export interface Shape {
  topology: Topology;
  /** EPSG:3857 of the local origin: floats are exact to a millimetre near it. */
  origin: readonly [number, number];
  /** Local xmin, ymin, xmax, ymax of each arc and each unit, four numbers apiece. */
  arcBox: Float32Array;
  unitBox: Float32Array;
  /** Local box of all. */
  box: readonly [number, number, number, number];
  /** Arcs of unit `u`: `unitArcs[unitArcStart[u] … unitArcStart[u + 1])`. */
  unitArcs: Uint32Array;
  unitArcStart: Uint32Array;
  /** The details made so far, coarser ones later. */
  details: (Detail | undefined)[];
}

/** Half a pixel is left out at most: level `i` serves resolutions up to `STEP ** i` metres a pixel. */
const STEP = 2;
const LEVELS = 9;

export const arcCount = (topology: Topology): number => topology.arcLeft.length;

function boxesOf(local: Float32Array, start: Uint32Array): Float32Array {
  const count = start.length - 1;
  const boxes = new Float32Array(count * 4);
  for (let arc = 0; arc < count; arc += 1) {
    let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let at = start[arc]!; at < start[arc + 1]!; at += 1) {
      const x = local[2 * at]!;
      const y = local[2 * at + 1]!;
      if (x < x0) x0 = x;
      if (x > x1) x1 = x;
      if (y < y0) y0 = y;
      if (y > y1) y1 = y;
    }
    boxes.set([x0, y0, x1, y1], arc * 4);
  }
  return boxes;
}

function grow(boxes: Float32Array, at: number, other: Float32Array, from: number): void {
  boxes[at] = Math.min(boxes[at]!, other[from]!);
  boxes[at + 1] = Math.min(boxes[at + 1]!, other[from + 1]!);
  boxes[at + 2] = Math.max(boxes[at + 2]!, other[from + 2]!);
  boxes[at + 3] = Math.max(boxes[at + 3]!, other[from + 3]!);
}

export function shapeOf(topology: Topology): Shape {
  const { points, arcStart, arcLeft, arcRight } = topology;
  const origin = [Math.round(points[0] ?? 0), Math.round(points[1] ?? 0)] as const;
  const local = new Float32Array(points.length);
  for (let at = 0; at < points.length; at += 2) {
    local[at] = points[at]! - origin[0];
    local[at + 1] = points[at + 1]! - origin[1];
  }
  const arcBox = boxesOf(local, arcStart);
  const units = topology.unitIds.length;
  const unitBox = new Float32Array(units * 4);
  for (let unit = 0; unit < units; unit += 1)
    unitBox.set([Infinity, Infinity, -Infinity, -Infinity], unit * 4);
  const unitArcStart = new Uint32Array(units + 1);
  const box = new Float32Array([Infinity, Infinity, -Infinity, -Infinity]);
  const sides = [arcLeft, arcRight];
  for (let arc = 0; arc < arcLeft.length; arc += 1) {
    grow(box, 0, arcBox, arc * 4);
    for (const side of sides) {
      const unit = side[arc]!;
      if (unit < 0) continue;
      unitArcStart[unit + 1]! += 1;
      grow(unitBox, unit * 4, arcBox, arc * 4);
    }
  }
  for (let unit = 0; unit < units; unit += 1) unitArcStart[unit + 1]! += unitArcStart[unit]!;
  const fill = unitArcStart.slice();
  const unitArcs = new Uint32Array(unitArcStart[units]!);
  for (let arc = 0; arc < arcLeft.length; arc += 1) {
    for (const side of sides) {
      const unit = side[arc]!;
      if (unit >= 0) unitArcs[fill[unit]!++] = arc;
    }
  }
  return {
    topology,
    origin,
    arcBox,
    unitBox,
    box: [box[0]!, box[1]!, box[2]!, box[3]!],
    unitArcs,
    unitArcStart,
    details: [{ tolerance: 0, points: local, start: arcStart }],
  };
}

/** Mark the vertices Douglas and Peucker's rule keeps between `from` and `to` (both kept by the caller). */
function keepVertices(points: Float32Array, from: number, to: number, limit: number, kept: Uint8Array): void {
  const waiting: number[] = [from, to];
  while (waiting.length > 0) {
    const last = waiting.pop()!;
    const first = waiting.pop()!;
    const ax = points[2 * first]!;
    const ay = points[2 * first + 1]!;
    const dx = points[2 * last]! - ax;
    const dy = points[2 * last + 1]! - ay;
    const length = dx * dx + dy * dy;
    let worst = limit * limit;
    let at = -1;
    for (let vertex = first + 1; vertex < last; vertex += 1) {
      const px = points[2 * vertex]! - ax;
      const py = points[2 * vertex + 1]! - ay;
      const along = length === 0 ? 0 : Math.max(0, Math.min(1, (px * dx + py * dy) / length));
      const ex = px - along * dx;
      const ey = py - along * dy;
      const off = ex * ex + ey * ey;
      if (off > worst) {
        worst = off;
        at = vertex;
      }
    }
    if (at < 0) continue;
    kept[at] = 1;
    waiting.push(first, at, at, last);
  }
}

function simplified(full: Detail, tolerance: number): Detail {
  const kept = new Uint8Array(full.points.length / 2);
  const start = new Uint32Array(full.start.length);
  let count = 0;
  for (let arc = 0; arc + 1 < full.start.length; arc += 1) {
    const from = full.start[arc]!;
    const to = full.start[arc + 1]! - 1;
    kept[from] = 1;
    kept[to] = 1;
    keepVertices(full.points, from, to, tolerance, kept);
    for (let vertex = from; vertex <= to; vertex += 1) count += kept[vertex]!;
    start[arc + 1] = count;
  }
  const points = new Float32Array(count * 2);
  let put = 0;
  for (let vertex = 0; vertex < kept.length; vertex += 1) {
    if (!kept[vertex]) continue;
    points[put] = full.points[2 * vertex]!;
    points[put + 1] = full.points[2 * vertex + 1]!;
    put += 2;
  }
  return { tolerance, points, start };
}

/** The level of detail for a resolution in metres a pixel: 0 keeps every vertex. */
export function levelAt(resolution: number): number {
  if (resolution <= 1) return 0;
  return Math.min(LEVELS, Math.max(0, Math.floor(Math.log(resolution) / Math.log(STEP)) + 1));
}

/** The borders at a level, made when first asked for. */
export function detailAt(shape: Shape, level: number): Detail {
  const found = shape.details[level];
  if (found) return found;
  const made = simplified(shape.details[0]!, 0.3 * STEP ** (level - 1));
  shape.details[level] = made;
  return made;
}

/** Local box of some units, or null for none. */
export function boxOfUnits(shape: Shape, units: Iterable<number>): [number, number, number, number] | null {
  const box = new Float32Array([Infinity, Infinity, -Infinity, -Infinity]);
  for (const unit of units) grow(box, 0, shape.unitBox, unit * 4);
  return box[0]! > box[2]! ? null : [box[0]!, box[1]!, box[2]!, box[3]!];
}
