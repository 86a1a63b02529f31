import { describe, expect, it } from 'vitest';
import { bandClasses, classOf } from './classes';
import { luminance, mix, paletteOf, underWhite } from './palette';

describe('classOf', () => {
  const classes = bandClasses({ low: 300, high: 500 });

  it('gives every household number exactly one class, in order', () => {
    let last = 0;
    for (let households = 0; households <= 2000; households += 1) {
      const at = classOf(classes, households);
      const holding = classes.filter(
        ({ min, max }) => (min === null || households >= min) && (max === null || households < max),
      );
      expect(holding).toEqual([classes[at]]);
      expect(at).toBeGreaterThanOrEqual(last);
      last = at;
    }
  });

  it('keeps both ends of the band inside it', () => {
    const [below, low, high, above] = [299, 300, 500, 501].map((value) => classOf(classes, value));
    expect(low).toBe((below ?? 0) + 1);
    expect(above).toBe((high ?? 0) + 1);
  });

  it('has none for what is not a number', () => {
    expect([null, undefined, Number.NaN].map((value) => classOf(classes, value))).toEqual([-1, -1, -1]);
  });
});

describe('palette', () => {
  const band = { low: 300, high: 500 };

  it('takes what the service sends and keeps its own for the rest', () => {
    const sent = { label_zh: '全部', label_en: 'all', color: '#123456', min: 0, max: null };
    const special = { ...sent, value: 'special', min: null, color: '#654321' };
    const palette = paletteOf({ layers: { grids: { classes: [sent, special] } } }, band);
    expect(palette.households).toEqual([sent]);
    expect(palette.special.color).toBe('#654321');
    expect(palette.shares.map(({ max }) => max)).toEqual([0.2, 0.4, 0.6, 0.8, 1.01]);
    expect(classOf(palette.shares, 1)).toBe(4);
    expect([...paletteOf(null, band).isochrones.keys()]).toEqual([5, 10, 15]);
  });

  it('darkens until white reads on it', () => {
    for (const color of ['#ffffff', '#f0a868', '#3d8b4f', '#8a6d3b', '#000000']) {
      expect(1.05 / (luminance(underWhite(color)) + 0.05)).toBeGreaterThanOrEqual(4.5);
    }
    expect(underWhite('#1d3557')).toBe('#1d3557');
    expect(mix('#000000', '#ffffff', 0.5)).toBe('#808080');
  });
});
