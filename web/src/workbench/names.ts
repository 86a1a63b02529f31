/** What grids are called. */
import { gridNumber } from '../core/names';
import { t, tOr } from '../i18n';
import type { PlanModel } from './model';

const fresh = (code: string): string | null => /^new:(\d+)$/.exec(code)?.[1] ?? null;

/** "3", or "新1" before the service has given a number; a special grid by its own short name. */
export function shortName(model: PlanModel, grid: number): string {
  const entry = model.grids[grid];
  if (!entry) return '';
  const born = fresh(entry.code);
  if (born) return t('workbench.newShort', { number: born });
  const number = gridNumber(entry);
  if (number !== null) return String(number);
  return entry.code.startsWith(entry.community) ? entry.code.slice(entry.community.length) : entry.code;
}

/** "荷塘社区 3 号网格", with the grid's own name where it has one. */
export function longName(model: PlanModel, grid: number): string {
  const entry = model.grids[grid];
  if (!entry) return t('workbench.noGrid');
  const community = model.topology.communities.find(({ code }) => code === entry.community)?.name ?? '';
  const own = entry.name && !/网格$/.test(entry.name) ? `${entry.name} · ` : '';
  const born = fresh(entry.code);
  if (born) return own + t('workbench.newName', { number: born });
  const number = shortName(model, grid);
  const many = model.topology.communities.length > 1;
  return own + (many ? t('workbench.gridOf', { community, number }) : t('workbench.gridName', { number }));
}

/** "学校": the kind of a special grid, nothing for an ordinary one. */
export function kindName(model: PlanModel, grid: number): string {
  const kind = model.grids[grid]?.kind ?? '';
  return kind === '' || kind === 'ordinary' ? '' : tOr(`workbench.kind.${kind}`, kind);
}
