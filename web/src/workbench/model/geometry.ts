/** Plane geometry the model needs: areas, sides, distances, the area two polygons share. */

import type { Line, XY } from './interface';

/** Signed area of a closed ring (first point repeated), positive when it runs against the clock. */
export function ringArea(points: Line): number {
  // about the first point, so that large coordinates do not eat the digits
  const x0 = points[0] ?? 0;
  const y0 = points[1] ?? 0;
  let twice = 0;
  for (let at = 0; at + 3 < points.length; at += 2) {
    twice += (points[at]! - x0) * (points[at + 3]! - y0) - (points[at + 2]! - x0) * (points[at + 1]! - y0);
  }
  return twice / 2;
}

/** Whether a point lies in a ring (closed or not); a point on the line is in on one side of it only. */
export function inRing(x: number, y: number, ring: Line): boolean {
  let inside = false;
  const last = ring.length - 2;
  for (let at = 0, before = last; at <= last; before = at, at += 2) {
    if (crosses(x, y, ring[before]!, ring[before + 1]!, ring[at]!, ring[at + 1]!)) inside = !inside;
  }
  return inside;
}

/** Whether the ray from a point to the east crosses the segment a–b. The same for b–a, to the last bit. */
export function crosses(x: number, y: number, ax: number, ay: number, bx: number, by: number): boolean {
  if (ay > y === by > y) return false;
  const low = ay < by;
  const x0 = low ? ax : bx;
  const y0 = low ? ay : by;
  const x1 = low ? bx : ax;
  const y1 = low ? by : ay;
  return (x - x0) * (y1 - y0) < (y - y0) * (x1 - x0);
}

/** Square of the distance of a point from a segment. */
export function pointToSegment(x: number, y: number, ax: number, ay: number, bx: number, by: number): number {
  const dx = bx - ax;
  const dy = by - ay;
  const length = dx * dx + dy * dy;
  const t = length > 0 ? Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / length)) : 0;
  const ex = x - ax - t * dx;
  const ey = y - ay - t * dy;
  return ex * ex + ey * ey;
}

/** Square of the distance between two segments, 0 where they cross. */
export function segmentToSegment(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  cx: number,
  cy: number,
  dx: number,
  dy: number,
): number {
  if (meet(ax, ay, bx, by, cx, cy, dx, dy)) return 0;
  return Math.min(
    pointToSegment(ax, ay, cx, cy, dx, dy),
    pointToSegment(bx, by, cx, cy, dx, dy),
    pointToSegment(cx, cy, ax, ay, bx, by),
    pointToSegment(dx, dy, ax, ay, bx, by),
  );
}

const turn = (ax: number, ay: number, bx: number, by: number, cx: number, cy: number): number =>
  Math.sign((bx - ax) * (cy - ay) - (by - ay) * (cx - ax));

/** Whether two segments cross or touch, ends included. */
export function meet(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  cx: number,
  cy: number,
  dx: number,
  dy: number,
): boolean {
  const one = turn(ax, ay, bx, by, cx, cy);
  const two = turn(ax, ay, bx, by, dx, dy);
  const three = turn(cx, cy, dx, dy, ax, ay);
  const four = turn(cx, cy, dx, dy, bx, by);
  if (one * two < 0 && three * four < 0) return true;
  const on = (px: number, py: number, qx: number, qy: number, rx: number, ry: number): boolean =>
    Math.min(px, qx) <= rx && rx <= Math.max(px, qx) && Math.min(py, qy) <= ry && ry <= Math.max(py, qy);
  return (
    (one === 0 && on(ax, ay, bx, by, cx, cy)) ||
    (two === 0 && on(ax, ay, bx, by, dx, dy)) ||
    (three === 0 && on(cx, cy, dx, dy, ax, ay)) ||
    (four === 0 && on(cx, cy, dx, dy, bx, by))
  );
}

/** Whether a line crosses itself (neighbouring pieces aside). */
export function crossesItself(line: readonly XY[]): boolean {
  for (let i = 0; i + 1 < line.length; i += 1) {
    for (let j = i + 2; j + 1 < line.length; j += 1) {
      const [a, b, c, d] = [line[i]!, line[i + 1]!, line[j]!, line[j + 1]!];
      if (meet(a[0], a[1], b[0], b[1], c[0], c[1], d[0], d[1])) return true;
    }
  }
  return false;
}

/** A polyline as a flat array, equal neighbours once; closed when asked. */
export function flat(points: readonly XY[], closed = false): Line {
  const out: number[] = [];
  for (const [x, y] of points) {
    if (out.length === 0 || out[out.length - 2] !== x || out[out.length - 1] !== y) out.push(x, y);
  }
  const open = out[0] !== out[out.length - 2] || out[1] !== out[out.length - 1];
  if (closed && out.length >= 6 && open) out.push(out[0]!, out[1]!);
  return Float64Array.from(out);
}

/**
 * Area two polygons have in common. Each is given as closed rings, outer ones against the clock, holes with it, and is
 * the signed sum of the triangles from one point to its edges; so the common area is the sum over pairs of triangles,
 * which are convex and clip simply. Exact for any simple polygons, holes and several parts too.
 */
export function sharedArea(one: readonly Line[], two: readonly Line[]): number {
  const x = one[0]?.[0] ?? 0;
  const y = one[0]?.[1] ?? 0;
  let sum = 0;
  const mine = fans(one, x, y);
  const theirs = fans(two, x, y);
  for (let i = 0; i < mine.length; i += 5) {
    for (let j = 0; j < theirs.length; j += 5) {
      const area = fanArea(mine, i, theirs, j);
      if (area > 0) sum += mine[i + 4]! * theirs[j + 4]! * area;
    }
  }
  return sum;
}

/** Triangles from (0, 0) to every edge, turned against the clock: x1, y1, x2, y2 and the sign they count with. */
function fans(rings: readonly Line[], x: number, y: number): number[] {
  const out: number[] = [];
  for (const ring of rings) {
    for (let at = 0; at + 3 < ring.length; at += 2) {
      const ax = ring[at]! - x;
      const ay = ring[at + 1]! - y;
      const bx = ring[at + 2]! - x;
      const by = ring[at + 3]! - y;
      const cross = ax * by - ay * bx;
      if (cross > 0) out.push(ax, ay, bx, by, 1);
      else if (cross < 0) out.push(bx, by, ax, ay, -1);
    }
  }
  return out;
}

const subject = new Float64Array(32);
const clipped = new Float64Array(32);

/** Common area of two triangles that both have a corner at (0, 0): the second is cut by the three sides of the first. */
function fanArea(one: number[], i: number, two: number[], j: number): number {
  const ax = one[i]!;
  const ay = one[i + 1]!;
  const bx = one[i + 2]!;
  const by = one[i + 3]!;
  subject.set([0, 0, two[j]!, two[j + 1]!, two[j + 2]!, two[j + 3]!]);
  let count = cut(subject, 3, 0, 0, ax, ay, clipped);
  if (count < 3) return 0;
  count = cut(clipped, count, ax, ay, bx, by, subject);
  if (count < 3) return 0;
  count = cut(subject, count, bx, by, 0, 0, clipped);
  let twice = 0;
  for (let k = 0; k < count; k += 1) {
    const next = k + 1 === count ? 0 : k + 1;
    twice += clipped[2 * k]! * clipped[2 * next + 1]! - clipped[2 * next]! * clipped[2 * k + 1]!;
  }
  return twice / 2;
}

/** The part of a convex polygon to the left of the line a → b (I. Sutherland and G. Hodgman, 1974). */
function cut(
  from: Float64Array,
  count: number,
  ax: number,
  ay: number,
  bx: number,
  by: number,
  into: Float64Array,
): number {
  const dx = bx - ax;
  const dy = by - ay;
  let out = 0;
  let px = from[2 * count - 2]!;
  let py = from[2 * count - 1]!;
  let before = dx * (py - ay) - dy * (px - ax);
  for (let k = 0; k < count; k += 1) {
    const x = from[2 * k]!;
    const y = from[2 * k + 1]!;
    const side = dx * (y - ay) - dy * (x - ax);
    if ((side > 0 && before < 0) || (side < 0 && before > 0)) {
      const t = before / (before - side);
      into[2 * out] = px + t * (x - px);
      into[2 * out + 1] = py + t * (y - py);
      out += 1;
    }
    if (side >= 0) {
      into[2 * out] = x;
      into[2 * out + 1] = y;
      out += 1;
    }
    px = x;
    py = y;
    before = side;
  }
  return out;
}

/** What of a closed ring lies in a box, closed; parts of it hang together along the box's sides, which add no area. */
export function clipToBox(ring: Line, minx: number, miny: number, maxx: number, maxy: number): Line {
  const corners = [minx, miny, maxx, miny, maxx, maxy, minx, maxy, minx, miny];
  let from = ring;
  let count = ring.length / 2 - 1;
  for (let side = 0; side < 8 && count > 0; side += 2) {
    const into = new Float64Array(4 * count + 2);
    count = cut(
      from,
      count,
      corners[side]!,
      corners[side + 1]!,
      corners[side + 2]!,
      corners[side + 3]!,
      into,
    );
    from = into;
  }
  if (count === 0) return new Float64Array(0);
  const out = new Float64Array(2 * count + 2);
  out.set(from.subarray(0, 2 * count));
  out.set(from.subarray(0, 2), 2 * count);
  return out;
}
