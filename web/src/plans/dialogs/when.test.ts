import { describe, expect, it } from 'vitest';
import { instantOf, localInput } from './when';

describe('times in forms', () => {
  it('come back as they went in', () => {
    for (const text of ['2026-03-05T08:00', '2024-02-29T23:59', '2026-12-31T00:00']) {
      const when = instantOf(text);
      expect(when && localInput(when)).toBe(text);
    }
  });
  it('are this zone’s, to the minute', () => {
    const when = instantOf('2026-07-01T12:30');
    expect(when?.getTime()).toBe(new Date(2026, 6, 1, 12, 30).getTime());
  });
  it.each(['', '2026-02-30T08:00', '2026-03-05', 'tomorrow', '2026-13-01T00:00'])('refuses %s', (text) => {
    expect(instantOf(text)).toBeNull();
  });
});
