/** Why a plan is not in band, in the reader's language: by its code, with the figures the service gives. */
import { number } from '../core/format';
import type { AreaName } from '../core/types';
import { nameOf, t, tOr } from '../i18n';
import type { Reason } from './types';
import { gridName } from './wording';

/** Units named before "and so many in all". */
const NAMED = 3;

/** Codes with two sentences, and the figure that tells which. */
const OTHERWISE: Readonly<Record<string, string>> = { piece_below_band: 'pieces', stopped: 'left' };

function sentence({ code, text, figures = {} }: Reason): string {
  const other = OTHERWISE[code];
  const key = other !== undefined && figures[other] !== undefined ? `${code}.${other}` : code;
  const words = tOr(`plans.reason.${key}`, '');
  const told = words.replace(/\{(\w+)\}/g, (mark, name: string) => {
    const value = figures[name];
    return value === undefined ? mark : typeof value === 'number' ? number(value) : value;
  });
  // a code of tomorrow, or a plan of before there were figures: the service's own words
  return told === '' || /\{\w+\}/.test(told) ? text : told;
}

function unitsOf({ units = [] }: Reason): string {
  if (units.length === 0) return '';
  const named = t('plans.reasonUnits', { units: units.slice(0, NAMED).join(', ') });
  return units.length > NAMED ? named + t('plans.reasonMore', { count: number(units.length) }) : named;
}

/** Reasons that say the same of one place are told once, with all their units. */
export function reasonTexts(reasons: readonly Reason[], areas: ReadonlyMap<string, AreaName>): string[] {
  const together = new Map<string, Reason>();
  for (const one of reasons) {
    const key = JSON.stringify([one.community, one.level, sentence(one)]);
    const known = together.get(key);
    together.set(key, known ? { ...known, units: [...(known.units ?? []), ...(one.units ?? [])] } : one);
  }
  return [...together.values()].map((one) => reasonText(one, areas));
}

/** One reason: the place, what is wrong there, the units it is about. */
export function reasonText(reason: Reason, areas: ReadonlyMap<string, AreaName>): string {
  const said = sentence(reason);
  if (said === reason.text) return said;
  const units = unitsOf(reason);
  const whole = units === '' ? said : t('plans.reasonWith', { reason: said, units });
  const { community = '' } = reason;
  if (community === '') return whole;
  const area = areas.get(community);
  return t('plans.reasonAt', { place: area ? nameOf(area) : gridName(community, areas), reason: whole });
}
