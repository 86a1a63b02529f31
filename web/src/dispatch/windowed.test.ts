import { describe, expect, it } from 'vitest';
import { scrollFor, windowOf } from './windowed';

describe('windowOf', () => {
  it('covers exactly what is in sight, and never leaves the list', () => {
    for (const total of [0, 1, 7, 5000]) {
      for (const scrolled of [0, 35, 70, 3500, 349_000]) {
        const { first, last } = windowOf(scrolled, 640, 70, total, 2);
        expect(first).toBeGreaterThanOrEqual(0);
        expect(last).toBeLessThanOrEqual(total);
        expect(first).toBeLessThanOrEqual(last);
        for (let row = 0; row < Math.min(total, 5000); row += 1) {
          const seen = row * 70 < scrolled + 640 && (row + 1) * 70 > scrolled;
          if (seen) expect(row >= first && row < last).toBe(true);
        }
        expect(last - first).toBeLessThanOrEqual(Math.ceil(640 / 70) + 1 + 4);
      }
    }
  });
});

describe('scrollFor', () => {
  it('moves no further than needed', () => {
    expect(scrollFor(3, 0, 700, 70)).toBe(0);
    expect(scrollFor(10, 0, 700, 70)).toBe(70);
    expect(scrollFor(2, 500, 700, 70)).toBe(140);
  });
});
