/** What pages of plans ask of the service. */
import { address, ask, getJson, nextPage, sendJson } from '../core/client';
import type { Overview } from '../core/types';
import type {
  Comparison,
  Generation,
  Plan,
  PlanComment,
  PlanGrids,
  PlanJob,
  PlanOrder,
  PlansPage,
  Preview,
  Published,
  PublicationPreview,
  Rollback,
} from './types';

const PAGE = 200;
/** More plans than this are not listed: the filters find the older ones. */
const PLANS_MOST = 1000;

export interface PlanFilter {
  area?: string;
  status?: string;
}

async function plans(filter: PlanFilter = {}, signal?: AbortSignal): Promise<Plan[]> {
  const found: Plan[] = [];
  let url: URL | null = address('plans', { ...filter, limit: PAGE });
  while (url && found.length < PLANS_MOST) {
    const page: PlansPage = await getJson<PlansPage>(url, signal);
    found.push(...page.plans);
    const next: string | undefined = page.links?.find(({ rel }) => rel === 'next')?.href;
    url = next && page.plans.length > 0 ? nextPage(next, url.href) : null;
  }
  return found;
}

/** A plan made at once, or the job that makes it. */
export type Made = { plan: Plan } | { job: PlanJob };

async function make(order: PlanOrder): Promise<Made> {
  const response = await ask(address('plans'), {
    method: 'POST',
    headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
    body: JSON.stringify(order),
  });
  const body: unknown = await response.json();
  return response.status === 202 ? { job: body as PlanJob } : { plan: body as Plan };
}

/** The best plan so far, when it is newer than `after`; null when there is nothing new. */
async function preview(job: number, after: number | null, signal?: AbortSignal): Promise<Preview | null> {
  return getJson<Preview | null>(address(`jobs/${job}/preview`, { after }), signal);
}

export const plansService = {
  overview: (signal?: AbortSignal) => getJson<Overview>(address('overview'), signal),
  plans,
  make,
  preview,
  plan: (id: number, signal?: AbortSignal) => getJson<Plan>(address(`plans/${id}`), signal),
  rename: (plan: Plan, patch: { name?: string; note?: string }) =>
    sendJson<Plan>('PATCH', address(`plans/${plan.id}`), patch, plan.version),
  remove: (plan: Plan) => sendJson<null>('DELETE', address(`plans/${plan.id}`), undefined, plan.version),
  duplicate: (id: number, name: string) =>
    sendJson<Plan>('POST', address(`plans/${id}/duplicate`), name ? { name } : {}),
  grids: (id: number, level: number | null = 1, signal?: AbortSignal) =>
    getJson<PlanGrids>(address(`plans/${id}/grids`, { level }), signal),
  compare: (id: number, other: string, signal?: AbortSignal) =>
    getJson<Comparison>(address(`plans/${id}/compare`, { with: other }), signal),
  publication: (id: number, signal?: AbortSignal) =>
    getJson<PublicationPreview>(address(`plans/${id}/publication`), signal),
  publish: (id: number, version: number, order: { effective_at?: string; note?: string }) =>
    sendJson<Published>('POST', address(`plans/${id}/publication`), order, version),
  callOff: (plan: Plan) =>
    sendJson<null>('DELETE', address(`plans/${plan.id}/publication`), undefined, plan.version),
  generations: async (signal?: AbortSignal) =>
    (await getJson<{ generations: Generation[] }>(address('generations'), signal)).generations,
  /** What going back would change, and the tag of what is in force, which `restore` needs. */
  rollback: async (id: number, signal?: AbortSignal): Promise<{ found: Rollback; tag: string }> => {
    const response = await ask(address(`generations/${id}/restore`), { signal: signal ?? null });
    return { found: (await response.json()) as Rollback, tag: response.headers.get('ETag') ?? '' };
  },
  restore: (id: number, note: string, tag: string) =>
    sendJson<{ generation: unknown }>('POST', address(`generations/${id}/restore`), { note }, tag),
  comments: async (id: number, signal?: AbortSignal) =>
    (await getJson<{ comments: PlanComment[] }>(address(`plans/${id}/comments`), signal)).comments,
  comment: (id: number, body: { body: string; grid?: string; place?: readonly [number, number] }) =>
    sendJson<PlanComment>('POST', address(`plans/${id}/comments`), body),
  settle: (id: number, comment: PlanComment, patch: { resolved?: boolean; body?: string }) =>
    sendJson<PlanComment>('PATCH', address(`plans/${id}/comments/${comment.id}`), patch, comment.etag),
  withdraw: (id: number, comment: PlanComment) =>
    sendJson<null>('DELETE', address(`plans/${id}/comments/${comment.id}`), undefined, comment.etag),
  jobs: async (states: string, signal?: AbortSignal) =>
    (await getJson<{ jobs: PlanJob[] }>(address('jobs', { kind: 'plan', state: states, limit: 20 }), signal))
      .jobs,
  job: (id: number, signal?: AbortSignal) => getJson<PlanJob>(address(`jobs/${id}`), signal),
  /** Stop a run; `keep` makes a plan of the best there is so far. */
  stop: (id: number, keep: boolean) =>
    sendJson<PlanJob | null>('DELETE', address(`jobs/${id}`, { keep: keep ? 'true' : null })),
};
