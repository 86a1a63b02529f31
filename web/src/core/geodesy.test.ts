import { describe, expect, it } from 'vitest';
import { areaOf, distanceBetween, lengthOf } from './geodesy';

// PROJ's geodesics (Karney 2013) on the same ellipsoid: pyproj.Geod(a=6378137, rf=298.257222101)
describe('geodesy', () => {
  it('measures as PROJ does, to the millimetre', () => {
    expect(distanceBetween([116.3, 39.9], [116.31, 39.91])).toBeCloseTo(1401.44923978, 3);
    expect(distanceBetween([116.3, 39.9], [121.47, 31.23])).toBeCloseTo(1069536.12585, 3);
    expect(distanceBetween([0, 0], [0, 1])).toBeCloseTo(110574.388554, 3);
    expect(distanceBetween([116.3, 39.9], [116.3, 39.9])).toBe(0);
  });

  it('adds up a line', () => {
    const line: [number, number][] = [
      [116.3, 39.9],
      [116.31, 39.91],
      [116.3, 39.9],
    ];
    expect(lengthOf(line)).toBeCloseTo(2 * 1401.44923978, 3);
    expect(lengthOf(line.slice(0, 1))).toBe(0);
  });

  it('finds areas as PROJ does, in either direction of the ring', () => {
    const field: [number, number][] = [
      [116.3, 39.9],
      [116.31, 39.9],
      [116.312, 39.908],
      [116.3, 39.91],
    ];
    expect(areaOf(field) / 949472.2125947475).toBeCloseTo(1, 5);
    expect(areaOf([...field].reverse())).toBeCloseTo(areaOf(field), 3);
    const tenKilometres: [number, number][] = [
      [112.8, 35.4],
      [112.9, 35.4],
      [112.9, 35.5],
      [112.8, 35.5],
    ];
    expect(areaOf(tenKilometres) / 100725534.93138123).toBeCloseTo(1, 5);
  });
});
