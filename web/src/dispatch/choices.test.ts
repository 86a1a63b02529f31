import { describe, expect, it } from 'vitest';
import { choicesOf } from './choices';
import { directionOf } from './nearby';
import type { Located } from './types';

const answer = {
  owner: { code: '2', name: 'two' },
  nearest: null,
  candidates: [
    { code: '3', name: 'three', probability: 0.6 },
    { code: '2', name: 'two', probability: 0.3 },
    { code: '5', name: 'five', probability: 0.1 },
  ],
  professional: { 公安: { code: '9', name: 'police' }, 消防: null },
} as unknown as Located;

describe('choicesOf', () => {
  it('puts the owner first, then likely, near and professional grids, each once', () => {
    const near = [
      { code: '2', metres: 0, direction: null },
      { code: '3', metres: 6, direction: 'e' as const },
      { code: '4', metres: 40, direction: 'n' as const },
    ];
    const found = choicesOf(answer, near, (code, name) => name ?? `grid ${code}`);
    expect(found.map(({ code }) => code)).toEqual(['2', '3', '5', '4', '9']);
    expect(found.map(({ probability }) => probability)).toEqual([0.3, 0.6, 0.1, null, null]);
    expect(found.map(({ metres }) => metres)).toEqual([0, 6, null, 40, null]);
    expect(found.map(({ name }) => name)).toEqual(['two', 'three', 'five', 'grid 4', 'police']);
    expect(found.filter(({ owns }) => owns).map(({ code }) => code)).toEqual(['2']);
    expect(found[4]!.system).toBe('公安');
  });

  it('offers the nearest grid of a place outside all of them', () => {
    const outside = {
      ...answer,
      owner: null,
      candidates: [],
      nearest: { code: '7', name: 'seven', metres: 80 },
    };
    const [first] = choicesOf(outside as unknown as Located, [], (code, name) => name ?? code);
    expect(first).toMatchObject({ code: '7', name: 'seven', metres: 80, owns: false });
  });
});

describe('directionOf', () => {
  it.each([
    [0, 1, 'n'],
    [1, 1, 'ne'],
    [1, 0, 'e'],
    [1, -1, 'se'],
    [0, -1, 's'],
    [-1, -1, 'sw'],
    [-1, 0, 'w'],
    [-1, 1, 'nw'],
  ] as const)('%i east, %i north is %s', (east, north, wanted) => {
    expect(directionOf([10, 0], [10 + east * 0.001, north * 0.001])).toBe(wanted);
  });
});
