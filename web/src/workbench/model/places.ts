/** Where units are: a uniform grid of cells over their boxes, exact answers from their borders. */

import {
  clipToBox,
  crosses,
  flat,
  inRing,
  meet,
  pointToSegment,
  ringArea,
  segmentToSegment,
  sharedArea,
} from './geometry';
import type { Borders, Line, Places, Ring, XY } from './interface';
import type { Topology } from './types';

const UNITS_PER_CELL = 2;

export interface ExactPlaces extends Places {
  /** Share of a unit's area in a closed ring, and whether the larger part is. */
  shareIn(unit: number, ring: Line): number;
  mostlyIn(unit: number, ring: Line): boolean;
}

/** `ringsOfUnit` is asked only for units a lasso cuts. */
export function placesOf(
  topology: Topology,
  borders: Borders,
  ringsOfUnit: (unit: number) => readonly Ring[],
): ExactPlaces {
  const boxes = unitBoxes(topology);
  const n = topology.unitIds.length;
  const cells = cellsOf(boxes, n);
  const stamp = new Int32Array(n);
  let turn = 0;

  const unitsNear = (minx: number, miny: number, maxx: number, maxy: number): number[] => {
    const out: number[] = [];
    turn += 1;
    const c0 = cells.column(minx);
    const c1 = cells.column(maxx);
    const r1 = cells.row(maxy);
    for (let row = cells.row(miny); row <= r1; row += 1) {
      for (let column = c0; column <= c1; column += 1) {
        const cell = row * cells.columns + column;
        for (let at = cells.start[cell]!; at < cells.start[cell + 1]!; at += 1) {
          const unit = cells.units[at]!;
          if (stamp[unit] === turn) continue;
          stamp[unit] = turn;
          const b = 4 * unit;
          if (boxes[b]! <= maxx && boxes[b + 2]! >= minx && boxes[b + 1]! <= maxy && boxes[b + 3]! >= miny) {
            out.push(unit);
          }
        }
      }
    }
    return out;
  };

  const holds = (unit: number, x: number, y: number): boolean => {
    const { points, arcStart } = topology;
    let inside = false;
    for (let at = borders.arcStart[unit]!; at < borders.arcStart[unit + 1]!; at += 1) {
      const arc = borders.arcs[at]!;
      const last = 2 * arcStart[arc + 1]! - 2;
      for (let p = 2 * arcStart[arc]!; p < last; p += 2) {
        if (crosses(x, y, points[p]!, points[p + 1]!, points[p + 2]!, points[p + 3]!)) inside = !inside;
      }
    }
    return inside;
  };

  const unitAt = (x: number, y: number): number => {
    if (!cells.within(x, y)) return -1;
    const cell = cells.row(y) * cells.columns + cells.column(x);
    for (let at = cells.start[cell]!; at < cells.start[cell + 1]!; at += 1) {
      const unit = cells.units[at]!;
      const b = 4 * unit;
      if (boxes[b]! > x || boxes[b + 2]! < x || boxes[b + 1]! > y || boxes[b + 3]! < y) continue;
      if (holds(unit, x, y)) return unit;
    }
    return -1;
  };

  /** Whether any piece of the unit's border passes `test`. */
  const anySegment = (
    unit: number,
    test: (ax: number, ay: number, bx: number, by: number) => boolean,
  ): boolean => {
    const { points, arcStart } = topology;
    for (let at = borders.arcStart[unit]!; at < borders.arcStart[unit + 1]!; at += 1) {
      const arc = borders.arcs[at]!;
      const last = 2 * arcStart[arc + 1]! - 2;
      for (let p = 2 * arcStart[arc]!; p < last; p += 2) {
        if (test(points[p]!, points[p + 1]!, points[p + 2]!, points[p + 3]!)) return true;
      }
    }
    return false;
  };

  const cutBy = (unit: number, line: Line): boolean => {
    const b = 4 * unit;
    for (let at = 0; at + 3 < line.length; at += 2) {
      const [ax, ay, bx, by] = [line[at]!, line[at + 1]!, line[at + 2]!, line[at + 3]!];
      if (Math.max(ax, bx) < boxes[b]! || Math.min(ax, bx) > boxes[b + 2]!) continue;
      if (Math.max(ay, by) < boxes[b + 1]! || Math.min(ay, by) > boxes[b + 3]!) continue;
      if (anySegment(unit, (cx, cy, dx, dy) => meet(ax, ay, bx, by, cx, cy, dx, dy))) return true;
    }
    return false;
  };

  const unitsIn = (points: readonly XY[], how: 'most' | 'touch' | 'point' = 'most'): number[] => {
    const ring = flat(points, true);
    if (ring.length < 8) return [];
    return unitsNear(...boxOfLine(ring)).filter((unit) => {
      if (how === 'most') return mostlyIn(unit, ring);
      if (inRing(topology.point[2 * unit]!, topology.point[2 * unit + 1]!, ring)) return true;
      // a small ring wholly inside a unit touches it
      return how === 'touch' && (cutBy(unit, ring) || holds(unit, ring[0]!, ring[1]!));
    });
  };

  const mostlyIn = (unit: number, ring: Line): boolean =>
    cutBy(unit, ring)
      ? shareIn(unit, ring) > 0.5
      : inRing(topology.point[2 * unit]!, topology.point[2 * unit + 1]!, ring);

  /** Share of a unit's area that lies in a ring. */
  const shareIn = (unit: number, ring: Line): number => {
    const lines = ringsOfUnit(unit).map((one) => one.points);
    const b = 4 * unit;
    const near = clipToBox(ring, boxes[b]!, boxes[b + 1]!, boxes[b + 2]!, boxes[b + 3]!);
    const whole = lines.reduce((sum, line) => sum + ringArea(line), 0);
    // parts count with a sign: a ring drawn either way round will do
    return whole > 0 ? Math.abs(sharedArea(lines, [near])) / whole : 0;
  };

  const unitsAlong = (stroke: readonly XY[], radius: number): number[] => {
    const line = flat(stroke);
    if (line.length === 0) return [];
    const [minx, miny, maxx, maxy] = boxOfLine(line);
    const near = unitsNear(minx - radius, miny - radius, maxx + radius, maxy + radius);
    const reach = radius * radius;
    return near.filter((unit) => {
      if (holds(unit, line[0]!, line[1]!)) return true;
      if (line.length === 2) {
        const [x, y] = [line[0]!, line[1]!];
        return anySegment(unit, (ax, ay, bx, by) => pointToSegment(x, y, ax, ay, bx, by) <= reach);
      }
      for (let at = 0; at + 3 < line.length; at += 2) {
        const [px, py, qx, qy] = [line[at]!, line[at + 1]!, line[at + 2]!, line[at + 3]!];
        const b = 4 * unit;
        if (Math.max(px, qx) + radius < boxes[b]! || Math.min(px, qx) - radius > boxes[b + 2]!) continue;
        if (Math.max(py, qy) + radius < boxes[b + 1]! || Math.min(py, qy) - radius > boxes[b + 3]!) continue;
        if (holds(unit, qx, qy)) return true;
        if (anySegment(unit, (ax, ay, bx, by) => segmentToSegment(px, py, qx, qy, ax, ay, bx, by) <= reach)) {
          return true;
        }
      }
      return false;
    });
  };

  return {
    unitAt,
    unitsNear,
    unitsIn,
    unitsAlong,
    shareIn,
    mostlyIn,
    boxOf: (unit) => [boxes[4 * unit]!, boxes[4 * unit + 1]!, boxes[4 * unit + 2]!, boxes[4 * unit + 3]!],
    boxOfUnits: (units) => {
      const out: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
      for (const unit of units) {
        out[0] = Math.min(out[0], boxes[4 * unit]!);
        out[1] = Math.min(out[1], boxes[4 * unit + 1]!);
        out[2] = Math.max(out[2], boxes[4 * unit + 2]!);
        out[3] = Math.max(out[3], boxes[4 * unit + 3]!);
      }
      return out[0] <= out[2] ? out : null;
    },
  };
}

export function boxOfLine(line: Line): [number, number, number, number] {
  const out: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let at = 0; at < line.length; at += 2) {
    out[0] = Math.min(out[0], line[at]!);
    out[1] = Math.min(out[1], line[at + 1]!);
    out[2] = Math.max(out[2], line[at]!);
    out[3] = Math.max(out[3], line[at + 1]!);
  }
  return out;
}

/** minx, miny, maxx, maxy of every unit; of one without arcs, its point. */
function unitBoxes(topology: Topology): Float64Array {
  const { points, arcStart, arcLeft, arcRight, point } = topology;
  const boxes = new Float64Array(2 * point.length);
  for (let unit = 0; 2 * unit < point.length; unit += 1) {
    boxes.set([point[2 * unit]!, point[2 * unit + 1]!, point[2 * unit]!, point[2 * unit + 1]!], 4 * unit);
  }
  for (let arc = 0; arc < arcLeft.length; arc += 1) {
    const [minx, miny, maxx, maxy] = boxOfLine(points.subarray(2 * arcStart[arc]!, 2 * arcStart[arc + 1]!));
    for (const unit of [arcLeft[arc]!, arcRight[arc]!]) {
      if (unit < 0) continue;
      const b = 4 * unit;
      boxes[b] = Math.min(boxes[b]!, minx);
      boxes[b + 1] = Math.min(boxes[b + 1]!, miny);
      boxes[b + 2] = Math.max(boxes[b + 2]!, maxx);
      boxes[b + 3] = Math.max(boxes[b + 3]!, maxy);
    }
  }
  return boxes;
}

interface Cells {
  columns: number;
  start: Int32Array;
  units: Int32Array;
  column(x: number): number;
  row(y: number): number;
  within(x: number, y: number): boolean;
}

function cellsOf(boxes: Float64Array, n: number): Cells {
  let [minx, miny, maxx, maxy] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let b = 0; b < boxes.length; b += 4) {
    minx = Math.min(minx, boxes[b]!);
    miny = Math.min(miny, boxes[b + 1]!);
    maxx = Math.max(maxx, boxes[b + 2]!);
    maxy = Math.max(maxy, boxes[b + 3]!);
  }
  if (n === 0) [minx, miny, maxx, maxy] = [0, 0, 1, 1];
  const wide = Math.max(maxx - minx, 1e-9);
  const high = Math.max(maxy - miny, 1e-9);
  const size = Math.max(
    Math.sqrt((wide * high * UNITS_PER_CELL) / Math.max(n, 1)),
    Math.max(wide, high) / 2000,
  );
  const columns = Math.max(1, Math.ceil(wide / size));
  const rows = Math.max(1, Math.ceil(high / size));
  const column = (x: number): number => Math.min(columns - 1, Math.max(0, Math.floor((x - minx) / size)));
  const row = (y: number): number => Math.min(rows - 1, Math.max(0, Math.floor((y - miny) / size)));
  const start = new Int32Array(columns * rows + 1);
  const each = (call: (cell: number, unit: number) => void): void => {
    for (let unit = 0; unit < n; unit += 1) {
      const b = 4 * unit;
      const last = column(boxes[b + 2]!);
      const top = row(boxes[b + 3]!);
      for (let r = row(boxes[b + 1]!); r <= top; r += 1) {
        for (let c = column(boxes[b]!); c <= last; c += 1) call(r * columns + c, unit);
      }
    }
  };
  each((cell) => (start[cell + 1]! += 1));
  for (let cell = 0; cell < columns * rows; cell += 1) start[cell + 1]! += start[cell]!;
  const units = new Int32Array(start[columns * rows]!);
  const next = start.slice();
  each((cell, unit) => {
    units[next[cell]!] = unit;
    next[cell]! += 1;
  });
  const within = (x: number, y: number): boolean => x >= minx && x <= maxx && y >= miny && y <= maxy;
  return { columns, start, units, column, row, within };
}
