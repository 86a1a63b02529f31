import type { Polygon } from 'geojson';
import { describe, expect, it } from 'vitest';
import { coloured, HUES, neighbours, pairColours, type Shape } from './colours';

const square = (code: string, x: number, y: number): Shape => ({
  code,
  geometry: {
    type: 'Polygon',
    coordinates: [
      [
        [x, y],
        [x + 1, y],
        [x + 1, y + 1],
        [x, y + 1],
        [x, y],
      ],
    ],
  } satisfies Polygon,
});
const board = (size: number): Shape[] =>
  Array.from({ length: size * size }, (_, i) => square(`g${i}`, i % size, Math.floor(i / size)));

describe('colours of grids', () => {
  it('knows who touches whom, corners too', () => {
    const beside = neighbours(board(3));
    expect([...(beside.get('g4') ?? [])].sort()).toEqual(['g0', 'g1', 'g2', 'g3', 'g5', 'g6', 'g7', 'g8']);
    expect([...(beside.get('g0') ?? [])].sort()).toEqual(['g1', 'g3', 'g4']);
  });
  it('never gives neighbours one colour where there are enough', () => {
    const shapes = board(12);
    const colours = coloured(shapes, new Map());
    for (const [code, beside] of neighbours(shapes)) {
      for (const other of beside) expect(colours.get(other)).not.toBe(colours.get(code));
    }
    expect(Math.max(...colours.values())).toBeLessThan(HUES.length);
  });
  it('keeps the colour of a grid that goes on under another code, and parts new ones from it', () => {
    const before = board(3);
    const after = before.map((shape) => ({ ...shape, code: `n${shape.code}` }));
    const pair = pairColours(before, after, (code) => (code === 'ng8' ? null : code.slice(1)));
    for (const { code } of before.slice(0, 8)) expect(pair.after.get(`n${code}`)).toBe(pair.before.get(code));
    for (const near of ['ng4', 'ng5', 'ng7']) expect(pair.after.get('ng8')).not.toBe(pair.after.get(near));
  });
});
