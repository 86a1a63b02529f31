import { describe, expect, it } from 'vitest';
import type { Figures, Move } from '../plans/types';
import { csvOf, figureRows, filtered, sorted } from './rows';

const move = (old: string, to: string | null, households: number): Move => ({
  old,
  new: to,
  households,
  population: households * 3,
  units: 2,
  from: null,
  to: null,
});
const MOVES = [move('a1', 'b1', 5), move('a2', null, 50), move('a1', 'b2', 50), move('a3', 'b1', 7)];

describe('the table of moves', () => {
  it('sorts by any column, both ways, and leaves the given rows alone', () => {
    const pairs = (rows: Move[]): string[] => rows.map((row) => `${row.old}${row.new ?? '-'}`);
    expect(pairs(sorted(MOVES, { by: 'households', down: true }))).toEqual(['a1b2', 'a2-', 'a3b1', 'a1b1']);
    expect(pairs(sorted(MOVES, { by: 'old', down: false }))).toEqual(['a1b2', 'a1b1', 'a2-', 'a3b1']);
    expect(pairs(sorted(MOVES, { by: 'new', down: false }))[0]).toBe('a2-');
    expect(MOVES[0]?.households).toBe(5);
  });
  it('filters by either code', () => {
    expect(filtered(MOVES, 'b1').length).toBe(2);
    expect(filtered(MOVES, ' ').length).toBe(4);
  });
  it('writes CSV that reads back', () => {
    const names = { old: 'from, old', new: 'to', households: 'hh', population: 'p', units: 'u' };
    const text = csvOf([move('=1+1', 'x"y', 3), move('a', null, 1)], names);
    expect(text.startsWith('\uFEFF"from, old",to,hh,p,u\r\n')).toBe(true);
    expect(text.split('\r\n')[1]).toBe('\'=1+1,"x""y",3,9,2');
    expect(text.split('\r\n')[2]).toBe('a,,1,3,2');
  });
});

describe('figures side by side', () => {
  const plan = (overall: Record<string, unknown>): Figures => ({ band: '300:500', overall, grids: [] });
  const verdicts = (a: Record<string, unknown>, b: Record<string, unknown>): Record<string, string> =>
    Object.fromEntries(figureRows(plan(a), plan(b)).map(({ key, verdict }) => [key, verdict]));
  it('says which is better, by what is wanted of each', () => {
    expect(
      verdicts(
        {
          grids: 8,
          in_band: 0.5,
          judged_grids: 8,
          in_band_grids: 4,
          compactness_mean: 0.6,
          compounds_split: 1,
          broken: 0,
        },
        {
          grids: 11,
          in_band: 1,
          judged_grids: 11,
          in_band_grids: 11,
          compactness_mean: 0.55,
          compounds_split: 3,
          broken: 0,
        },
      ),
    ).toEqual({
      grids: 'none',
      in_band: 'better',
      out: 'better',
      compactness: 'worse',
      compounds_split: 'worse',
      broken: 'same',
    });
  });
  it('takes what cannot be seen for the same, and leaves out what neither has', () => {
    expect(verdicts({ in_band: 0.99999, broken: null }, { in_band: 1, broken: null })).toEqual({
      in_band: 'same',
    });
    expect(verdicts({ in_band: null }, { in_band: 1 })).toEqual({ in_band: 'none' });
    expect(verdicts({ balance: { mean_deviation: 0.2 } }, { balance: { mean_deviation: 0.1 } })).toEqual({
      balance: 'better',
    });
  });
});
