import { describe, expect, it } from 'vitest';
import { readAsked } from './asked';

const point = (lon: number, lat: number, crs = 'wgs84', accuracy: number | null = null) => ({
  kind: 'point',
  lon,
  lat,
  crs,
  accuracy,
});

describe('readAsked', () => {
  it.each([
    ['116.33, 40.00', point(116.33, 40)],
    ['116.33, 40.00 gcj02', point(116.33, 40, 'gcj02')],
    ['40.00,116.33 高德', point(116.33, 40, 'gcj02')],
    ['116.33，40.00（百度）', point(116.33, 40, 'bd09')],
    ['lng:116.33 lat:40.0 ±30m', point(116.33, 40, 'wgs84', 30)],
    ['经度：116.33，纬度：40.00，精度 25 米', point(116.33, 40, 'wgs84', 25)],
    ['纬度 40.5 经度 116.33', point(116.33, 40.5)],
    ['116.33E 40.00N', point(116.33, 40)],
    ['东经116.33 北纬40.00 GPS', point(116.33, 40)],
    ['500123.4 3930456.7 EPSG:4547', point(500123.4, 3930456.7, 'EPSG:4547')],
    ['１１２．８４，３５．５', point(112.84, 35.5)],
    ['POINT(112.84 35.5)', point(112.84, 35.5)],
    ['[112.84, 35.5]', point(112.84, 35.5)],
    ['{"lon": 112.84, "lat": 35.5}', point(112.84, 35.5)],
  ])('reads %s', (typed, wanted) => {
    expect(readAsked(typed)).toEqual(wanted);
  });

  it('reads degrees, minutes and seconds', () => {
    const asked = readAsked('112°50′24″E 35°30′18″N');
    expect(asked.kind).toBe('point');
    if (asked.kind !== 'point') return;
    expect(asked.lon).toBeCloseTo(112.84, 8);
    expect(asked.lat).toBeCloseTo(35.505, 8);
  });

  it.each([
    ['文泉路12号', { kind: 'address', text: '文泉路12号' }],
    ['鸣凤小区3号楼2单元501', { kind: 'address', text: '鸣凤小区3号楼2单元501' }],
    ['12-5', { kind: 'address', text: '12-5' }],
    ['3799030102000123', { kind: 'component', code: '3799030102000123' }],
    ['  ', { kind: 'empty' }],
  ])('takes %s for what it is', (typed, wanted) => {
    expect(readAsked(typed)).toEqual(wanted);
  });
});
