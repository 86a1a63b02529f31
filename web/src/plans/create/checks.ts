/** What must hold of an order for the engine before it is sent; the service has the last word. Pure. */
import type { TextKey } from '../../i18n/texts';
import type { EngineOrder, WeightName } from '../types';

export const WEIGHTS: readonly WeightName[] = ['street', 'compactness', 'compounds', 'balance', 'churn'];
/** What a step of a slider multiplies a weight by. */
export const FACTORS = [0, 0.4, 1, 2, 4] as const;
export const USUAL = 2;
export const PRESETS = ['balanced', 'streets', 'compact', 'stable', 'quick'] as const;
export type Preset = (typeof PRESETS)[number];

/** The form as it is filled in. */
export interface EngineForm {
  low: string;
  high: string;
  levels: string;
  keep: boolean;
  draft: number | null;
  preset: Preset | '';
  weights: Record<WeightName, number>;
  limit: string;
  seed: string;
}

export interface Fault {
  field: 'low' | 'high' | 'levels' | 'limit' | 'seed';
  key: TextKey;
}

const whole = (text: string): number | null => (/^\d{1,9}$/.test(text.trim()) ? Number(text.trim()) : null);

const LEVEL = /^(?:(\d+)|(\d+)\s*:\s*(\d+)|(\d+)\s*@\s*(\d+)\s*:\s*(\d+)|building|entrance)$/;

/** Whether a list of levels reads: bands, numbers of grids, both, and building, entrance at the end. */
export function levelsRead(text: string): boolean {
  const items = text.split(/[/,]/).map((item) => item.trim());
  const rank = (item: string): number => (item === 'entrance' ? 2 : item === 'building' ? 1 : 0);
  return items.every((item, index) => {
    const parts = LEVEL.exec(item);
    if (!parts) return false;
    const [low, high] = parts[2] ? [parts[2], parts[3]] : [parts[5], parts[6]];
    if (low !== undefined && Number(low) > Number(high)) return false;
    if (parts[1] === '0' || parts[4] === '0') return false;
    const before = index > 0 ? rank(items[index - 1] ?? '') : -1;
    return index === 0 ? rank(item) === 0 : rank(item) >= before && (rank(item) === 0 || rank(item) > before);
  });
}

/** What is wrong, the topmost field first. */
export function faultsOf(form: EngineForm): Fault[] {
  const found: Fault[] = [];
  const [low, high] = [whole(form.low), whole(form.high)];
  if (low === null) found.push({ field: 'low', key: 'plans.fault.number' });
  if (high === null || high === 0) found.push({ field: 'high', key: 'plans.fault.number' });
  else if (low !== null && low > high) found.push({ field: 'high', key: 'plans.fault.band' });
  if (form.levels.trim() && !levelsRead(form.levels))
    found.push({ field: 'levels', key: 'plans.fault.levels' });
  const limit = whole(form.limit);
  if (form.limit.trim() && (limit === null || limit < 1 || limit > 3600))
    found.push({ field: 'limit', key: 'plans.fault.limit' });
  if (form.seed.trim() && whole(form.seed) === null) found.push({ field: 'seed', key: 'plans.fault.seed' });
  return found;
}

/** Numbers of households that fit no number of grids in the band, below `high` twice: 300–500 leaves out 501–599. */
export function leftOut(low: number, high: number): [number, number] | null {
  return low * 2 > high + 1 ? [high + 1, low * 2 - 1] : null;
}

/** The order a form without faults makes. */
export function orderOf(form: EngineForm): EngineOrder {
  const weights = WEIGHTS.filter((name) => form.weights[name] !== USUAL && (name !== 'churn' || keeps(form)));
  return {
    households: `${Number(form.low)}:${Number(form.high)}`,
    ...(form.levels.trim() ? { levels: form.levels.trim() } : {}),
    keep: form.keep,
    ...(form.draft === null ? {} : { plan: form.draft }),
    ...(form.preset ? { preset: form.preset } : {}),
    ...(form.limit.trim() ? { time_limit: Number(form.limit) } : {}),
    seed: Number(form.seed.trim() || 0),
    ...(weights.length > 0
      ? { weights: Object.fromEntries(weights.map((name) => [name, FACTORS[form.weights[name]] ?? 1])) }
      : {}),
  };
}

const keeps = (form: EngineForm): boolean => form.keep || form.draft !== null;
