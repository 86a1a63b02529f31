/** Class breaks of the ways grids are coloured. */
import type { StyleClass } from './types';

/** Used when the service's style sheet cannot be read: the same tones, from the band alone. */
export function bandClasses(band: { low: number; high: number }): StyleClass[] {
  const { low, high } = band;
  const middle = Math.round((low + high) / 2);
  const far = Math.round(high * 1.2);
  const near = Math.round(low * 0.7);
  const row = (min: number | null, max: number | null, color: string): StyleClass => {
    const top = max === null ? null : max - 1;
    const zh = min === null ? `少于 ${max} 户` : max === null ? `${min} 户及以上` : `${min}–${top} 户`;
    const en = min === null ? `Below ${max}` : max === null ? `${min} and more` : `${min}–${top}`;
    return { label_zh: zh, label_en: en, color, min, max };
  };
  return [
    row(null, near, '#4f86c6'),
    row(near, low, '#9dc1e4'),
    row(low, middle, '#b9ddb0'),
    row(middle, high + 1, '#7fbf7b'),
    row(high + 1, far + 1, '#f6b26b'),
    row(far + 1, null, '#d9573f'),
  ];
}

/** Index of the class that holds `value` (`min` ≤ value < `max`; the last class takes its own `max` too), or -1. */
export function classOf(classes: readonly StyleClass[], value: number | null | undefined): number {
  if (value === null || value === undefined || Number.isNaN(value)) return -1;
  const inside = classes.findIndex(
    ({ min, max }) =>
      (min !== null || max !== null) && (min === null || value >= min) && (max === null || value < max),
  );
  if (inside >= 0) return inside;
  return classes.findLastIndex(
    ({ min, max }) => max !== null && value === max && (min === null || value >= min),
  );
}
