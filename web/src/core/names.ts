/** Names and colours the catalogue gives to codes. */
import { labelOf, lang, t } from '../i18n';
import type { Catalog } from './app';
import { underWhite } from './palette';
import type { GridProperties } from './types';

/**
 * A grid's name without its community's name in front ("荷塘社区第003网格" → "3网格"),
 * or the digits after the community's code when the name is missing or long.
 */
export function shortName(
  grid: Pick<GridProperties, 'code' | 'name' | 'community'>,
  community: string | undefined,
): string {
  const digits = grid.code.startsWith(grid.community)
    ? grid.code.slice(grid.community.length)
    : grid.code.slice(-3);
  let name = grid.name ?? '';
  for (const front of [community, community?.replace(/(社区|村)(居委会|居民委员会)?$/, '')]) {
    if (front && name.startsWith(front) && name.length > front.length) {
      name = name.slice(front.length).trim();
      break;
    }
  }
  const numbered = /^第?0*(\d+)号?网格$/.exec(name);
  if (numbered) return `${numbered[1]}网格`;
  return name !== '' && name !== grid.code && name.length <= 8 ? name : digits || grid.code;
}

/** The running number of a grid inside its community, from its code ("…001002" → 2); null when it has none. */
export function gridNumber(grid: Pick<GridProperties, 'code' | 'community'>): number | null {
  const digits = grid.code.startsWith(grid.community) ? grid.code.slice(grid.community.length) : '';
  return /^\d{1,3}$/.test(digits) ? Number(digits) : null;
}

/** What a grid is called on the map. */
export function shortNameIn(catalog: Catalog, grid: GridProperties): string {
  const number = gridNumber(grid);
  if (lang() === 'en' && number !== null) return t('name.grid', { number });
  return shortName(grid, catalog.areaByCode.get(grid.community)?.name);
}

/** The full name of a grid; in English, grids without an English name take their community's. */
export function gridTitle(catalog: Catalog, code: string, name: string | null): string {
  const grid = catalog.gridByCode.get(code);
  const community = grid && catalog.areaByCode.get(grid.community)?.name_en;
  const number = grid ? gridNumber(grid) : null;
  if (lang() === 'en' && community && number !== null) return t('name.gridOf', { community, number });
  if (!name || !grid) return name || code;
  const home = catalog.areaByCode.get(grid.community)?.name ?? '';
  return name.startsWith(home.replace(/(社区|村)$/, '')) ? name : home + name;
}

/** The name of a component's major class. */
export function majorName(catalog: Catalog, major: string): string {
  const entry = catalog.palette.majors.get(major);
  return labelOf(entry?.label_zh, entry?.label_en) || catalog.majors.get(major) || major;
}

/** The colour of a component's major class, dark enough for white figures on it. */
export const majorColor = (catalog: Catalog, major: string): string =>
  underWhite(catalog.palette.majors.get(major)?.color ?? '#5c6670');
