/** What a comparison is drawn from: the grids of both plans on the level they are compared on. */
import type { Geometry } from 'geojson';
import { address, getJson, nextPage } from '../core/client';
import type { Page } from '../core/types';
import { plansService } from '../plans/service';
import { boxOf, ringsOf } from '../plans/thumbnail';
import type { Comparison, Plan, PlanGridProperties } from '../plans/types';
import type { Grids } from './maps';

export const IN_FORCE = 'published';
const PAGE = 5000;

export interface Compared {
  plan: Plan;
  /** Null: the grids in force. */
  other: Plan | null;
  found: Comparison;
  before: Grids;
  after: Grids;
}

type GridsPage = Page<Geometry, PlanGridProperties>;

/** Grids in force on the ground of some others, whose community lies in an area. */
async function inForce(area: string, level: number, ground: Grids, signal: AbortSignal): Promise<Grids> {
  const features: Grids['features'] = [];
  const box = boxOf(ground.features.map(({ geometry }) => ringsOf(geometry)));
  let url: URL | null = address('grids', { level, limit: PAGE, bbox: box?.join(',') });
  while (url) {
    const page: GridsPage = await getJson<GridsPage>(url, signal);
    features.push(...page.features);
    const next: string | undefined = page.links?.find(({ rel }) => rel === 'next')?.href;
    url = next && page.features.length > 0 ? nextPage(next, url.href) : null;
  }
  return {
    type: 'FeatureCollection',
    features: features.filter(({ properties }) => properties.community.startsWith(area)),
  };
}

/** The deepest level moves are told on, by the codes they name; the first where nothing moves. */
function levelOf(found: Comparison): number {
  const level = found.moves
    .map((move) => found.grids.now[move.new ?? '']?.level)
    .find((one) => one !== undefined);
  return level ?? 1;
}

/** Read both plans and what changes between them. */
export async function readCompared(plan: number, other: string, signal: AbortSignal): Promise<Compared> {
  const [one, two, found] = await Promise.all([
    plansService.plan(plan, signal),
    other === IN_FORCE ? Promise.resolve(null) : plansService.plan(Number(other), signal),
    plansService.compare(plan, other, signal),
  ]);
  const level = levelOf(found);
  const [after, drawn] = await Promise.all([
    plansService.grids(plan, level, signal),
    two ? plansService.grids(two.id, level, signal) : null,
  ]);
  const before = drawn ?? (await inForce(one.area, level, after, signal));
  return { plan: one, other: two, found, before, after };
}
