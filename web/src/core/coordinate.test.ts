import { describe, expect, it } from 'vitest';
import { parseCoordinate } from './coordinate';

const near = (typed: string, point: [number, number], crs = 'wgs84'): void => {
  const found = parseCoordinate(typed);
  expect(found?.crs).toBe(crs);
  expect(found?.point[0]).toBeCloseTo(point[0], 9);
  expect(found?.point[1]).toBeCloseTo(point[1], 9);
};

describe('parseCoordinate', () => {
  it.each([
    ['39500000 4380000 EPSG:4527', [39500000, 4380000], 'EPSG:4527'],
    ['EPSG:4548 500000.25, 3915000', [500000.25, 3915000], 'EPSG:4548'],
    ['500000,3915000 epsg 4548', [500000, 3915000], 'EPSG:4548'],
    ['116.58，35.37 高德', [116.58, 35.37], 'gcj02'],
    ['百度 116.58 35.37', [116.58, 35.37], 'bd09'],
    ['116.58 35.37 GCJ-02', [116.58, 35.37], 'gcj02'],
    ['35.37, 116.58 cgcs2000', [116.58, 35.37], 'cgcs2000'],
  ])('reads %s', (typed, point, crs) => {
    expect(parseCoordinate(typed)).toEqual({ point, crs });
  });

  it('knows the zone from an easting of eight digits, in either order', () => {
    expect(parseCoordinate('39500000, 4380000')).toEqual({ point: [39500000, 4380000], crs: 'EPSG:4527' });
    expect(parseCoordinate('4380000, 39500000')).toEqual({ point: [39500000, 4380000], crs: 'EPSG:4527' });
    expect(parseCoordinate('25500000, 4380000')?.crs).toBe('EPSG:4513');
    expect(parseCoordinate('45500000, 4380000')?.crs).toBe('EPSG:4533');
  });

  it('reads degrees, minutes and seconds', () => {
    const point: [number, number] = [116 + 34 / 60 + 56 / 3600, 35 + 22 / 60 + 12 / 3600];
    near('35°22′12″N 116°34′56″E', point);
    near(`35°22'12"N, 116°34'56"E`, point);
    near('N35 22 12, E116 34 56', point);
    near('东经116度34分56秒，北纬35度22分12秒', point);
    near(`116°34'56" E 35°22'12" N gcj02`, point, 'gcj02');
    near(`35°22.2'N 116°34.5'E`, [116.575, 35.37]);
    near('35.37N 116.575E', [116.575, 35.37]);
    near('33.5°S 70.25°W', [-70.25, -33.5]);
  });

  it('takes nothing for a coordinate that is none', () => {
    for (const typed of [
      '北纬路12号',
      '锦港路 12',
      '35°70′N 116°E',
      '荷塘社区',
      '12号楼 3单元',
      'E116 E35',
      '35°22′N',
    ]) {
      expect(parseCoordinate(typed)).toBeNull();
    }
  });
});
