import { describe, expect, it } from 'vitest';
import { curve, heading, type Point, widthOf } from './curve';

describe('arrows', () => {
  it('lead from the one to the other, short of both', () => {
    const points = curve([0, 0], [100, 0]);
    expect(points[0]).toEqual([10, 0]);
    expect(points.at(-1)?.[0]).toBeCloseTo(90);
    expect(points.at(-1)?.[1]).toBeCloseTo(0);
  });
  it('bend apart on the way there and back', () => {
    const middle = (a: Point, b: Point): number => curve(a, b)[10]?.[1] ?? 0;
    expect(middle([0, 0], [100, 0]) * middle([100, 0], [0, 0])).toBeLessThan(0);
  });
  it('point where they end', () => {
    expect(
      heading([
        [0, 0],
        [0, 5],
      ]),
    ).toBeCloseTo(0);
    expect(
      heading([
        [0, 0],
        [5, 0],
      ]),
    ).toBeCloseTo(Math.PI / 2);
    expect(heading(curve([0, 0], [0, -10]))).toBeGreaterThan(Math.PI / 2);
  });
  it('grow with the households', () => {
    expect(widthOf(100, 100)).toBeCloseTo(7);
    expect(widthOf(25, 100)).toBeCloseTo(4.3);
    expect(widthOf(0, 0)).toBeCloseTo(1.6);
  });
});
