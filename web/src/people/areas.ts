/** Areas by code, for choosing and for showing. */

import type { AreaName } from '../core/types';
import { nameOf, t } from '../i18n';

let known: readonly AreaName[] = [];

export function setAreas(areas: readonly AreaName[]): void {
  known = [...areas].sort((one, other) => one.code.localeCompare(other.code));
}

/** The name of an area, its code where it is not known here. */
export function areaName(code: string): string {
  if (code === '') return t('account.everywhere');
  const found = known.find((area) => area.code === code);
  return found ? nameOf(found) : code;
}

/** What can be chosen within the areas somebody administers: code and name, streets and communities set in. */
export function areaChoices(mine: readonly string[], also: string): [string, string][] {
  const inside = (code: string): boolean => mine.some((area) => code.startsWith(area));
  const codes = known.filter(({ code }) => inside(code)).map(({ code }) => code);
  if (mine.includes('')) codes.unshift('');
  for (const code of [...mine, also]) if (!codes.includes(code)) codes.push(code);
  const depth = (code: string): number => Math.max(0, (code.length - 6) / 3);
  return codes.map((code) => [code, `${'\u3000'.repeat(depth(code))}${areaName(code)}`]);
}
