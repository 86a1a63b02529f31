/** Class breaks of the two ways grids are coloured. */
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
export function classOf(classes: readonly StyleClass[], value: number): number {
  const inside = classes.findIndex(
    ({ min, max }) =>
      (min !== null || max !== null) && (min === null || value >= min) && (max === null || value < max),
  );
  if (inside >= 0) return inside;
  return classes.findLastIndex(
    ({ min, max }) => max !== null && value === max && (min === null || value >= min),
  );
}

export interface ShareClass {
  from: number;
  color: string;
}

/** Share of residents within reach, worst first; brown to teal stays apart for colour-blind eyes. */
export const SHARE_CLASSES: readonly ShareClass[] = [
  { from: 0, color: '#b5651d' },
  { from: 0.3, color: '#dfb26a' },
  { from: 0.6, color: '#f2ead3' },
  { from: 0.8, color: '#8ccbc0' },
  { from: 0.95, color: '#2f8f83' },
];

/** Index into SHARE_CLASSES of a share 0..1, or -1 when there is none. */
export function shareClass(share: number | null | undefined): number {
  if (share === null || share === undefined || Number.isNaN(share)) return -1;
  return SHARE_CLASSES.findLastIndex(({ from }) => share >= from - 1e-9);
}
