/** Which plans are listed: by area, state and words. Pure. */
import type { AreaName } from '../core/types';
import type { Plan } from './types';

export type PlanState = 'all' | 'draft' | 'waiting' | 'published';

export interface Filter {
  area: string;
  state: PlanState;
  text: string;
}

export const NO_FILTER: Filter = { area: '', state: 'all', text: '' };

export function stateOf(plan: Plan): Exclude<PlanState, 'all'> {
  if (plan.publication?.state === 'waiting') return 'waiting';
  return plan.status;
}

/** Whether a plan passes: its area inside the one asked for, every word in its name, note, author or place. */
export function passes(plan: Plan, filter: Filter): boolean {
  if (filter.area && !plan.area.startsWith(filter.area)) return false;
  if (filter.state !== 'all' && stateOf(plan) !== filter.state) return false;
  const text = [plan.id, plan.name, plan.note, plan.author, plan.area_name, plan.area_name_en, plan.area]
    .join(' ')
    .toLowerCase();
  return filter.text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** Areas that have plans, and those above them, by code: a street before its communities. */
export function areasWithPlans(plans: readonly Plan[], areas: ReadonlyMap<string, AreaName>): AreaName[] {
  const codes = new Set(plans.flatMap(({ area }) => [6, 9, 12].map((length) => area.slice(0, length))));
  return [...codes]
    .sort()
    .map((code) => areas.get(code))
    .filter((area): area is AreaName => area !== undefined);
}

/** How many plans there are of each state among those of the area and words asked for. */
export function counts(plans: readonly Plan[], filter: Filter): Record<PlanState, number> {
  const found: Record<PlanState, number> = { all: 0, draft: 0, waiting: 0, published: 0 };
  for (const plan of plans) {
    if (!passes(plan, { ...filter, state: 'all' })) continue;
    found.all += 1;
    found[stateOf(plan)] += 1;
  }
  return found;
}
