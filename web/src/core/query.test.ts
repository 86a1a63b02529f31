import { describe, expect, it } from 'vitest';
import { findEntries, parseQuery } from './query';

describe('parseQuery', () => {
  it.each([
    ['116.58, 35.37', [116.58, 35.37], 'wgs84'],
    ['116.58，35.37 gcj02', [116.58, 35.37], 'gcj02'],
    ['  116.58 35.37 BD09 ', [116.58, 35.37], 'bd09'],
    ['39530000, 3915000, epsg:4527', [39530000, 3915000], 'EPSG:4527'],
  ])('reads the coordinate %s', (typed, point, crs) => {
    expect(parseQuery(typed)).toEqual({ kind: 'point', point, crs });
  });

  it('swaps lat, lon, where no other reading is possible', () => {
    expect(parseQuery('35.37, 116.58')).toEqual({ kind: 'point', point: [116.58, 35.37], crs: 'wgs84' });
    expect(parseQuery('24.9, 60.1')).toMatchObject({ point: [24.9, 60.1] });
  });

  it('tells codes, component codes and names apart', () => {
    expect(parseQuery('370899001002003')).toEqual({ kind: 'code', code: '370899001002003' });
    expect(parseQuery('3708990101000001')).toEqual({ kind: 'component', code: '3708990101000001' });
    expect(parseQuery('荷塘社区')).toEqual({ kind: 'text', text: '荷塘社区' });
    expect(parseQuery('  ')).toEqual({ kind: 'empty' });
  });
});

describe('findEntries', () => {
  const entries = [
    { code: '370899001001', name: '荷塘社区', level: 'community' },
    { code: '370899001001001', name: '荷塘社区第1网格', level: 'grid' },
    { code: '370899001001002', name: '荷塘社区第2网格', level: 'grid' },
    { code: '370899001002001', name: '映月社区第1网格', level: 'grid' },
  ];

  it('puts the exact code first and keeps to the limit', () => {
    expect(findEntries(entries, '370899001001').map(({ code }) => code)).toEqual([
      '370899001001',
      '370899001001001',
      '370899001001002',
    ]);
    expect(findEntries(entries, '荷塘', 2)).toHaveLength(2);
  });

  it('finds the end of a code and the middle of a name', () => {
    expect(findEntries(entries, '2001')[0]?.code).toBe('370899001002001');
    expect(findEntries(entries, '第2网格')[0]?.code).toBe('370899001001002');
    expect(findEntries(entries, '没有')).toEqual([]);
  });
});
