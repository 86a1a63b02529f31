/** Short names of grids for labels. */
import type { Catalog } from './app';
import type { GridProperties } from './types';

/**
 * A grid's name without its community's name in front ("荷塘社区第3网格" → "第3网格"),
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
  return name !== '' && name !== grid.code && name.length <= 8 ? name : digits || grid.code;
}

export const shortNameIn = (catalog: Catalog, grid: GridProperties): string =>
  shortName(grid, catalog.areaByCode.get(grid.community)?.name);
