/** Colours and class labels: the service's own styles, so that map, legend and every other renderer agree. */
import { bandClasses } from './classes';
import type { StyleClass, Styles } from './types';

export interface Palette {
  /** Grids by households, lowest first. */
  households: StyleClass[];
  special: StyleClass;
  /** Grids by share of residents covered, lowest first. */
  shares: StyleClass[];
  noResidents: StyleClass;
  /** Component major code → its class. */
  majors: ReadonlyMap<string, StyleClass>;
  /** Minutes → colour of the walking range. */
  isochrones: ReadonlyMap<number, string>;
}

const valued = (value: string, label_zh: string, label_en: string, color: string): StyleClass => ({
  label_zh,
  label_en,
  color,
  value,
  min: null,
  max: null,
});

const ranged = (min: number, max: number, color: string): StyleClass => {
  const label = `${Math.round(min * 100)}–${Math.round(Math.min(max, 1) * 100)} %`;
  return { label_zh: label, label_en: label, color, value: null, min, max };
};

/** Used for what the service does not say. */
const OWN = {
  special: valued('special', '专属网格', 'special grid', '#cbbfe0'),
  shares: [
    ranged(0, 0.2, '#b5651d'),
    ranged(0.2, 0.4, '#dfb26a'),
    ranged(0.4, 0.6, '#f2ead3'),
    ranged(0.6, 0.8, '#8ccbc0'),
    ranged(0.8, 1.01, '#2f8f83'),
  ],
  none: valued('none', '无居民', 'no residents', '#d9d9d9'),
  isochrones: { 5: '#1d6fa5', 10: '#58a3cf', 15: '#a3cde6' },
} as const;

const hasRange = ({ min, max }: StyleClass): boolean => min !== null || max !== null;

/** The palette of a service's style sheet; `styles` null gives the page's own for the band. */
export function paletteOf(styles: Styles | null, band: { low: number; high: number }): Palette {
  const classes = (layer: string): StyleClass[] => styles?.layers[layer]?.classes ?? [];
  const ranges = (layer: string, own: readonly StyleClass[]): StyleClass[] => {
    const sent = classes(layer).filter(hasRange);
    return sent.length > 0 ? sent : [...own];
  };
  const byValue = (layer: string, value: string, own: StyleClass): StyleClass =>
    classes(layer).find((entry) => entry.value === value) ?? own;
  const sentTimes = classes('isochrones').map(({ value, color }): [number, string] => [Number(value), color]);
  const ownTimes = Object.entries(OWN.isochrones).map(([value, color]): [number, string] => [
    Number(value),
    color,
  ]);
  return {
    households: ranges('grids', bandClasses(band)),
    special: byValue('grids', 'special', OWN.special),
    shares: ranges('coverage', OWN.shares),
    noResidents: byValue('coverage', 'none', OWN.none),
    majors: new Map(classes('components').map((entry) => [entry.value ?? '', entry])),
    isochrones: new Map(sentTimes.length > 0 ? sentTimes : ownTimes),
  };
}

/** `#rrggbb` as `rgba(…)`. */
export function withAlpha(color: string, alpha: number): string {
  const value = Number.parseInt(color.slice(1), 16);
  return `rgba(${(value >> 16) & 255}, ${(value >> 8) & 255}, ${value & 255}, ${alpha})`;
}

/** Relative luminance of `#rrggbb` (WCAG 2), 0 black to 1 white. */
export function luminance(color: string): number {
  const value = Number.parseInt(color.slice(1), 16);
  const [r, g, b] = [(value >> 16) & 255, (value >> 8) & 255, value & 255].map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

const channel = (color: string, shift: number): number =>
  (Number.parseInt(color.slice(1), 16) >> shift) & 255;

/** `share` of the way from one `#rrggbb` to another. */
export function mix(from: string, to: string, share: number): string {
  const part = (shift: number): string =>
    Math.round(channel(from, shift) + (channel(to, shift) - channel(from, shift)) * share)
      .toString(16)
      .padStart(2, '0');
  return `#${part(16)}${part(8)}${part(0)}`;
}

/** The colour, darkened until white figures on it reach a contrast of 4.5. */
export function underWhite(color: string): string {
  let dark = color;
  for (let step = 0; step < 20 && 1.05 / (luminance(dark) + 0.05) < 4.5; step += 1)
    dark = mix(dark, '#000000', 0.06);
  return dark;
}

/** Outline of a walking range: its colour is a pale one, made for fills, and must hold against tinted grids. */
export const rangeLine = (color: string, minutes: number): string =>
  mix(color, '#0b2f52', minutes > 5 ? 0.45 : 0.3);
