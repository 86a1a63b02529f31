import { describe, expect, it } from 'vitest';
import { instantOf, localInput, nextDay, offsetOf, zoneText } from './when';

const CHINA = { name: 'Asia/Shanghai', minutes: 480 };
const NEPAL = { name: 'UTC+05:45', minutes: 345 };
const NEWFOUNDLAND = { name: '', minutes: -210 };

describe('times in forms', () => {
  it('come back as they went in, in any zone', () => {
    for (const zone of [CHINA, NEPAL, NEWFOUNDLAND]) {
      for (const text of ['2026-03-05T08:00', '2024-02-29T23:59', '2026-12-31T00:00']) {
        const when = instantOf(text, zone);
        expect(when && localInput(when, zone)).toBe(text);
      }
    }
  });
  it('are moments of that zone, whatever the browser has', () => {
    expect(instantOf('2026-07-01T08:30', CHINA)?.toISOString()).toBe('2026-07-01T00:30:00.000Z');
    expect(instantOf('2026-07-01T22:30', NEWFOUNDLAND)?.toISOString()).toBe('2026-07-02T02:00:00.000Z');
  });
  it.each(['', '2026-02-30T08:00', '2026-03-05', 'tomorrow', '2026-13-01T00:00'])('refuses %s', (text) => {
    expect(instantOf(text, CHINA)).toBeNull();
  });
  it('know the next midnight of the zone', () => {
    expect(nextDay(new Date('2026-03-05T15:59:00Z'), CHINA).toISOString()).toBe('2026-03-05T16:00:00.000Z');
    expect(nextDay(new Date('2026-03-05T16:00:00Z'), CHINA).toISOString()).toBe('2026-03-06T16:00:00.000Z');
  });
  it('name the zone', () => {
    expect(zoneText(CHINA)).toBe('Asia/Shanghai (UTC+08:00)');
    expect(zoneText(NEPAL)).toBe('UTC+05:45');
    expect(offsetOf(NEWFOUNDLAND)).toBe('UTC-03:30');
  });
});
