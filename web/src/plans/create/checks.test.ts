import { describe, expect, it } from 'vitest';
import { type EngineForm, faultsOf, leftOut, levelsRead, orderOf, USUAL } from './checks';

const form = (patch: Partial<EngineForm> = {}): EngineForm => ({
  low: '300',
  high: '500',
  levels: '',
  keep: false,
  draft: null,
  preset: '',
  weights: { street: USUAL, compactness: USUAL, compounds: USUAL, balance: USUAL, churn: USUAL },
  limit: '',
  seed: '0',
  ...patch,
});

describe('checks of an order', () => {
  it('lets a usual one pass', () => {
    expect(faultsOf(form())).toEqual([]);
    expect(orderOf(form())).toEqual({ households: '300:500', keep: false, seed: 0 });
  });
  it('names each wrong field', () => {
    const wrong = form({ low: '3oo', high: '-1', levels: '34//', limit: '0', seed: '1.5' });
    expect(faultsOf(wrong).map(({ field }) => field)).toEqual(['low', 'high', 'levels', 'limit', 'seed']);
    expect(faultsOf(form({ low: '600' }))).toEqual([{ field: 'high', key: 'plans.fault.band' }]);
  });
  it('sends what was changed, and churn only where there is something to keep', () => {
    const weights = { ...form().weights, street: 4, churn: 0 };
    expect(orderOf(form({ weights })).weights).toEqual({ street: 4 });
    expect(orderOf(form({ weights, keep: true })).weights).toEqual({ street: 4, churn: 0 });
    expect(orderOf(form({ limit: '30', draft: 7, preset: 'quick', levels: ' 34/158 ' }))).toMatchObject({
      time_limit: 30,
      plan: 7,
      preset: 'quick',
      levels: '34/158',
    });
  });
});

describe('levels', () => {
  it.each(['34', '34/158/854', '300:500/building', '34@300:500, 158', '300:500/building/entrance'])(
    'reads %s',
    (text) => expect(levelsRead(text)).toBe(true),
  );
  it.each([
    '',
    '0',
    '34/',
    'building',
    '500:300',
    '34/building/200',
    'building/34',
    '34/building/building',
    '3@',
  ])('refuses %s', (text) => expect(levelsRead(text)).toBe(false));
});

describe('numbers of households no division fits', () => {
  it('lie between one full grid and two small ones', () => {
    expect(leftOut(300, 500)).toEqual([501, 599]);
    expect(leftOut(300, 600)).toBeNull();
    expect(leftOut(300, 599)).toBeNull();
    expect(leftOut(300, 598)).toEqual([599, 599]);
  });
  it('agrees with trying every number', () => {
    for (const [low, high] of [
      [3, 5],
      [4, 7],
      [5, 5],
      [2, 9],
    ] as const) {
      const none: number[] = [];
      for (let total = high + 1; total < 2 * low; total += 1) {
        const fits = [2, 3, 4].some((grids) => grids * low <= total && total <= grids * high);
        if (!fits) none.push(total);
      }
      const told = leftOut(low, high);
      expect(told ? Array.from({ length: told[1] - told[0] + 1 }, (_, i) => told[0] + i) : []).toEqual(none);
    }
  });
});
