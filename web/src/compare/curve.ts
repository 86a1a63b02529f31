/** The shape of arrows between grids: bent to the right, so that two ways between one pair stay apart. Pure. */

export type Point = readonly [number, number];

const STEPS = 20;
/** How far the middle of an arrow is from the straight line, in shares of its length. */
const BEND = 0.16;
/** Of its length, so much is left free at both ends. */
const FREE = 0.1;

/** Points of a quadratic Bézier curve from a to b. */
export function curve(a: Point, b: Point): Point[] {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const from: Point = [a[0] + dx * FREE, a[1] + dy * FREE];
  const to: Point = [b[0] - dx * FREE, b[1] - dy * FREE];
  const middle: Point = [(a[0] + b[0]) / 2 + dy * BEND * 2, (a[1] + b[1]) / 2 - dx * BEND * 2];
  return Array.from({ length: STEPS + 1 }, (_, step) => {
    const s = step / STEPS;
    const [p, q, r] = [(1 - s) ** 2, 2 * s * (1 - s), s ** 2];
    return [p * from[0] + q * middle[0] + r * to[0], p * from[1] + q * middle[1] + r * to[1]] as const;
  });
}

/** Direction in which a line of points ends, clockwise from north, as OpenLayers turns symbols. */
export function heading(points: readonly Point[]): number {
  const [a, b] = [points.at(-2), points.at(-1)];
  return a && b ? Math.atan2(b[0] - a[0], b[1] - a[1]) : 0;
}

/** Pixels an arrow is wide: its area grows with the households. */
export const widthOf = (households: number, most: number): number =>
  1.6 + 5.4 * Math.sqrt(Math.max(households, 0) / Math.max(most, 1));
