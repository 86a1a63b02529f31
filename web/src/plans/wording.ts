/** Times, places and figures of plans as people read them. */
import { number, percent } from '../core/format';
import type { AreaName } from '../core/types';
import { lang, nameOf, t } from '../i18n';
import type { Plan, PlanStats } from './types';

const locale = (): string => (lang() === 'zh' ? 'zh-CN' : 'en-GB');

/** Day and time of day, in this browser's time zone. */
export function moment(iso: string): string {
  const when = new Date(iso);
  if (Number.isNaN(when.getTime())) return iso;
  return new Intl.DateTimeFormat(locale(), {
    dateStyle: 'medium',
    timeStyle: 'short',
    hourCycle: 'h23',
  }).format(when);
}

/** The same in a time zone given by its minutes east of UTC. */
export const momentIn = (iso: string, { minutes }: { minutes: number }): string =>
  new Intl.DateTimeFormat(locale(), {
    dateStyle: 'medium',
    timeStyle: 'short',
    hourCycle: 'h23',
    timeZone: 'UTC',
  }).format(new Date(new Date(iso).getTime() + minutes * 60_000));

const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** How long ago, up to a week; the date from then on. */
export function ago(iso: string, now = Date.now()): string {
  const seconds = (now - new Date(iso).getTime()) / 1000;
  if (!(seconds < 7 * 86_400)) return moment(iso);
  for (const [unit, length] of STEPS) {
    if (seconds >= length) {
      return new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' }).format(
        -Math.floor(seconds / length),
        unit,
      );
    }
  }
  return t('plans.justNow');
}

/** Seconds as people say them: 45 s, 3 min, 1 h 20 min. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t('plans.seconds', { count: whole });
  const minutes = Math.round(whole / 60);
  if (whole < 600 && whole % 60) {
    return t('plans.minutesSeconds', { minutes: Math.floor(whole / 60), seconds: whole % 60 });
  }
  if (minutes < 60) return t('plans.minutes', { count: minutes });
  return t('plans.hours', { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}

export const areaOf = (plan: Pick<Plan, 'area' | 'area_name' | 'area_name_en'>): string =>
  nameOf({ name: plan.area_name || plan.area, name_en: plan.area_name_en });

/** Names of the areas a code lies in, from the street down: "太白湖街道 › 荷花社区". */
export function areaPath(code: string, areas: ReadonlyMap<string, AreaName>): string {
  const names = [6, 9, 12]
    .filter((length) => length <= code.length)
    .map((length) => areas.get(code.slice(0, length)))
    .filter((area): area is AreaName => area !== undefined)
    .map(nameOf);
  return names.slice(names.length > 2 ? 1 : 0).join(' › ');
}

export const nameOfPlan = (plan: { id: number; name: string }): string =>
  plan.name.trim() || t('plans.unnamed', { id: plan.id });

/** A figure that may not be there. */
export const figure = (value: unknown): string =>
  typeof value === 'number' && Number.isFinite(value) ? number(Math.round(value)) : '–';

export const share = (value: unknown): string =>
  typeof value === 'number' && Number.isFinite(value) ? percent(value) : '–';

export const inBandOf = (stats: PlanStats): number | null =>
  typeof stats.in_band === 'number' ? stats.in_band : null;

export const bandText = ({ band }: Pick<Plan, 'band'>): string =>
  t('plans.band', { low: number(band.low), high: number(band.high) });

/** What the short end of a code says of a grid: its community and its number. */
export function gridName(code: string, areas: ReadonlyMap<string, AreaName>): string {
  if (!code) return t('plans.noGrid');
  const community = areas.get(code.slice(0, 12));
  const rest = code.slice(12);
  return community && rest ? `${nameOf(community)} ${rest}` : code;
}
