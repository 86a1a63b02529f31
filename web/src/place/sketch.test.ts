import type { Geometry } from 'geojson';
import { describe, expect, it } from 'vitest';
import { boxOf, middleOf, pathOf, toPixel, viewOf } from './sketch';

const square: Geometry = {
  type: 'Polygon',
  coordinates: [
    [
      [116, 40],
      [116.01, 40],
      [116.01, 40.01],
      [116, 40.01],
      [116, 40],
    ],
  ],
};
/** A U open to the north: the middle of its box lies outside. */
const bent: Geometry = {
  type: 'Polygon',
  coordinates: [
    [
      [0, 0],
      [3, 0],
      [3, 3],
      [2, 3],
      [2, 1],
      [1, 1],
      [1, 3],
      [0, 3],
      [0, 0],
    ],
  ],
};

describe('the sketch', () => {
  it('shows the whole box inside the picture, north up, true in shape', () => {
    const view = viewOf(boxOf([square]), 400, 300);
    const [left, bottom] = toPixel(view, [116, 40]);
    const [right, top] = toPixel(view, [116.01, 40.01]);
    expect(left).toBeGreaterThan(0);
    expect(top).toBeGreaterThan(0);
    expect(right).toBeLessThan(400);
    expect(bottom).toBeLessThan(300);
    expect((right - left) / (bottom - top)).toBeCloseTo(Math.cos((40.005 * Math.PI) / 180), 3);
  });

  it('draws rings closed and lines open', () => {
    const view = viewOf([0, 0, 3, 3], 300, 300, 0);
    expect(pathOf(view, bent)).toMatch(/^M.*Z$/);
    const line: Geometry = {
      type: 'LineString',
      coordinates: [
        [0, 0],
        [3, 3],
      ],
    };
    expect(pathOf(view, line)).not.toContain('Z');
  });

  it('names a bent shape inside of it', () => {
    const view = viewOf([0, 0, 3, 3], 300, 300, 0);
    const middle = middleOf(view, bent)!;
    const inNotch = middle.x > 100 && middle.x < 200 && middle.y < 200;
    expect(inNotch).toBe(false);
    expect(middle.room).toBeGreaterThan(30);
  });
});
