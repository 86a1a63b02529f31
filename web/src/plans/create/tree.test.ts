import { describe, expect, it } from 'vitest';
import type { AreaName } from '../../core/types';
import { rowsOf, treeOf } from './tree';

const area = (code: string, name: string, name_en: string | null = null): AreaName => ({
  code,
  name,
  name_en,
  level: code.length === 6 ? 'district' : code.length === 9 ? 'street' : 'community',
});
const AREAS = [
  area('370001002001', '湖滨社区', 'Lakeside'),
  area('370001', '太白湖区'),
  area('370001001', '荷花街道'),
  area('370001001002', '南苑社区'),
  area('370001001001', '北苑社区'),
  area('370002001009', '孤村'),
];
const codes = (open: string[], text = ''): string[] =>
  rowsOf(treeOf(AREAS), new Set(open), text).map(({ area: { code } }) => code);

describe('the tree of areas', () => {
  it('starts with those that have nothing above them', () => {
    expect(codes([])).toEqual(['370001', '370002001009']);
  });
  it('hangs a community under its district where its street is not stored', () => {
    expect(codes(['370001'])).toEqual(['370001', '370001001', '370001002001', '370002001009']);
  });
  it('opens level by level', () => {
    const rows = rowsOf(treeOf(AREAS), new Set(['370001', '370001001']), '');
    expect(rows.map(({ area: { code }, depth }) => [code, depth])).toEqual([
      ['370001', 1],
      ['370001001', 2],
      ['370001001001', 3],
      ['370001001002', 3],
      ['370001002001', 2],
      ['370002001009', 1],
    ]);
    expect(rows.map(({ open }) => open)).toEqual([true, true, null, null, null, null]);
    expect(rows[2]?.above).toBe('370001001');
  });
  it('finds by name, English name and code, with all above, whatever is open', () => {
    expect(codes([], '南苑')).toEqual(['370001', '370001001', '370001001002']);
    expect(codes([], 'lakeSIDE 3700')).toEqual(['370001', '370001002001']);
    expect(codes([], '荷花')).toEqual(['370001', '370001001']);
    expect(codes([], 'nothing')).toEqual([]);
  });
});
