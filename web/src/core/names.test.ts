import { describe, expect, it } from 'vitest';
import { texts } from '../i18n/texts';
import { nextPage } from './client';
import { gridNumber, shortName } from './names';
import { createStore } from './store';

describe('names', () => {
  const grid = { code: '370899001001002', community: '370899001001', name: '荷塘社区第2网格' };

  it('drops the community in front and falls back to the digits', () => {
    expect(shortName(grid, '荷塘社区')).toBe('2网格');
    expect(shortName({ ...grid, name: '第012网格' }, '荷塘社区')).toBe('12网格');
    expect(shortName({ ...grid, name: '荷塘小学专属网格' }, '荷塘社区')).toBe('小学专属网格');
    expect(shortName({ ...grid, name: null }, '荷塘社区')).toBe('002');
    expect(shortName({ ...grid, name: '一个长得写不下的网格名称' }, undefined)).toBe('002');
    expect(gridNumber(grid)).toBe(2);
    expect(gridNumber({ code: 'X-17', community: '370899001001' })).toBeNull();
  });
});

describe('texts', () => {
  it('have the same marks in both languages', () => {
    const marks = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();
    for (const [key, text] of Object.entries(texts.zh)) {
      expect([key, marks(texts.en[key as keyof typeof texts.en])]).toEqual([key, marks(text)]);
    }
  });
});

describe('nextPage', () => {
  it('takes the query of the link and stays where it is', () => {
    const base = 'https://maps.example/gis/api/v1/grids';
    expect(nextPage('http://10.0.0.7:8000/api/v1/grids?after=9', base).href).toBe(
      'https://maps.example/gis/api/v1/grids?after=9',
    );
    expect(nextPage('?after=9', base).href).toBe('https://maps.example/gis/api/v1/grids?after=9');
  });
});

describe('store', () => {
  it('tells only those who asked about a key that changed', () => {
    const store = createStore({ a: 1, b: 1 });
    const seen: string[] = [];
    const off = store.on(['a'], ({ a }) => seen.push(`a${a}`));
    store.on(['b'], ({ b }) => seen.push(`b${b}`));
    store.set({ a: 2, b: 1 });
    off();
    store.set({ a: 3, b: 2 });
    expect(seen).toEqual(['a2', 'b2']);
  });
});
