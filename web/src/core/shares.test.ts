import { describe, expect, it } from 'vitest';
import { blindCount, coveredShare, nearestByTier, placeShare, unassessedCount, wholeMinutes } from './shares';
import type { CircleCategory, CoverageRow, NearestRow } from './types';

const row = { residents_total: 120, residents_assessed: 100, residents_covered: 70 } as CircleCategory;
const grid = (residents: number, assessed: number, covered: number): CoverageRow =>
  ({ residents, residents_assessed: assessed, residents_covered: covered }) as CoverageRow;
const near = (category: string, minutes: number, seconds: number | null): NearestRow =>
  ({ category, minutes, seconds }) as NearestRow;

describe('figures of circles', () => {
  it('keeps those who cannot be assessed apart from the blind', () => {
    expect(coveredShare(row, 'residents')).toBe(0.7);
    expect(blindCount(row, 'residents')).toBe(30);
    expect(unassessedCount(row, 'residents')).toBe(20);
  });

  it('tells nobody there from nobody assessed', () => {
    expect(placeShare(grid(10, 10, 0), 'residents')).toBe(0);
    expect(placeShare(grid(10, 0, 0), 'residents')).toBe('unassessed');
    expect(placeShare(grid(0, 0, 0), 'residents')).toBe('none');
    expect(placeShare(undefined, 'residents')).toBe('none');
  });

  it('lists the nearest by tier, then by time, those out of reach last', () => {
    const rows = [
      near('a', 15, 500),
      near('b', 5, null),
      near('c', 5, 90),
      near('d', 15, 20),
      near('e', 5, 30),
    ];
    const told = nearestByTier(rows).map(([minutes, tier]) => [
      minutes,
      tier.map(({ category }) => category),
    ]);
    expect(told).toEqual([
      [5, ['e', 'c', 'b']],
      [15, ['d', 'a']],
    ]);
  });

  it('never says fewer minutes than it takes', () => {
    expect([0, 60, 61, 300, 301].map(wholeMinutes)).toEqual([1, 1, 2, 5, 6]);
  });
});
