/** Numbers, distances and dates as the reader's language writes them. */
import { lang, t } from '../i18n';

const locale = (): string => (lang() === 'zh' ? 'zh-CN' : 'en-GB');

export const number = (value: number): string => new Intl.NumberFormat(locale()).format(value);

/** A share 0..1 as a percentage with at most one decimal. */
export function percent(share: number): string {
  const digits = share > 0.999 || share < 0.1 ? 1 : 0;
  // Never round a shortfall up to a full 100 %.
  const shown = share < 1 ? Math.min(share, 0.999) : 1;
  return new Intl.NumberFormat(locale(), { style: 'percent', maximumFractionDigits: digits }).format(shown);
}

export function distance(metres: number): string {
  if (metres < 1000) return t('unit.metres', { count: number(Math.round(metres)) });
  return t('unit.kilometres', { count: number(Math.round(metres / 100) / 10) });
}

export function date(iso: string): string {
  const when = new Date(iso);
  if (Number.isNaN(when.getTime())) return iso;
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium' }).format(when);
}

export const coordinate = (lon: number, lat: number): string => `${lon.toFixed(6)}, ${lat.toFixed(6)}`;

/** 1234 → "1.2k": clusters have little room. */
export function compact(value: number): string {
  if (value < 1000) return String(value);
  return value < 10000 ? `${Math.floor(value / 100) / 10}k` : `${Math.floor(value / 1000)}k`;
}
