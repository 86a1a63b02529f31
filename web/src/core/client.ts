/** The one place that talks to the service. */

import type { Feature, Geometry, Point } from 'geojson';
import { csrfToken, type Session, setCsrf, signature } from './who';
import type {
  AreaProperties,
  Bbox,
  BlindSpots,
  BuildingReachProperties,
  CirclesSummary,
  ClusterProperties,
  ComponentClass,
  ComponentDetail,
  ComponentProperties,
  Coverage,
  FacilityCategory,
  FacilityProperties,
  GridDetail,
  GridProperties,
  Job,
  LocateAnswer,
  LonLat,
  NearestAnswer,
  Overview,
  Page,
  Place,
  Profile,
  QueuedJob,
  RangesAnswer,
  Styles,
} from './types';

/** An answer that was not 2xx, or no answer at all (`status` 0). */
export class ServiceError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = 'ServiceError';
  }
}

interface ErrorBody {
  code?: string;
  message?: string;
  details?: Record<string, unknown>;
}

export const isAbort = (error: unknown): boolean =>
  error instanceof DOMException && error.name === 'AbortError';

type Params = Record<string, string | number | null | undefined>;

/** Features of one request, and whether the service holds more than were taken. */
export interface Taken<G extends Geometry, P> {
  features: Feature<G, P>[];
  partial: boolean;
}

const PAGE_LIMIT = 5000;
/** Blind spots listed and drawn: the largest ones. */
const BLIND_SPOTS = 500;

let running = 0;
const watchers = new Set<(busy: number) => void>();

/** Call `watcher` with the number of requests under way whenever it changes. */
export function onBusy(watcher: (busy: number) => void): void {
  watchers.add(watcher);
}

export const busy = (): number => running;

function count(step: 1 | -1): void {
  running += step;
  for (const watcher of watchers) watcher(running);
}

export function address(path: string, params: Params = {}): URL {
  const url = new URL(`api/v1/${path}`, document.baseURI);
  for (const [key, value] of Object.entries(params)) {
    if (value !== null && value !== undefined && value !== '') url.searchParams.set(key, String(value));
  }
  return url;
}

/** The page after `base`: only the query of a `next` link counts, a proxy may have changed host and path. */
export function nextPage(href: string, base: string): URL {
  const url = new URL(base);
  url.search = new URL(href, base).search;
  return url;
}

export const getJson = <T>(url: URL, signal?: AbortSignal): Promise<T> =>
  askJson<T>(url, { signal: signal ?? null, headers: { Accept: 'application/json' } });

export const postJson = <T>(url: URL, body: unknown): Promise<T> => sendJson<T>('POST', url, body);

/** Send JSON as the planner who is signed in. `match` is the version, or the tag, the change was made from (If-Match). */
export const sendJson = <T>(
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  url: URL,
  body?: unknown,
  match?: number | string,
): Promise<T> =>
  askJson<T>(url, {
    method,
    headers: {
      Accept: 'application/json',
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...(match === undefined ? {} : { 'If-Match': typeof match === 'number' ? `"${match}"` : match }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

const askJson = async <T>(url: URL, options: RequestInit): Promise<T> => {
  const response = await ask(url, options);
  return (response.status === 204 ? null : await response.json()) as T;
};

let refused: () => void = () => undefined;

/** Call `listener` when the service wants somebody to sign in first. */
export function onRefused(listener: () => void): void {
  refused = listener;
}

/** Read anew who is signed in: another tab may have signed in or out meanwhile. Whether that changed the token. */
async function tokenChanged(): Promise<boolean> {
  const before = csrfToken();
  const response = await fetch(address('session'), { headers: signature() });
  if (!response.ok) return false;
  setCsrf(((await response.json()) as Session).csrf);
  return csrfToken() !== before;
}

/** Send a request signed. What failed only because the session had changed meanwhile is sent once more. */
async function send(url: URL, options: RequestInit): Promise<Response> {
  const method = options.method ?? 'GET';
  const once = (): Promise<Response> =>
    fetch(url, { ...options, headers: { ...signature(method), ...options.headers } });
  const response = await once();
  if ((response.status !== 401 && response.status !== 403) || url.pathname.endsWith('/session')) {
    return response;
  }
  const told = (await response
    .clone()
    .json()
    .catch(() => null)) as { error?: ErrorBody } | null;
  const again = told?.error?.code === 'csrf' || (response.status === 401 && method === 'GET' && csrfToken());
  const last = again && (await tokenChanged()) ? await once() : response;
  if (last.status === 401) refused();
  return last;
}

/** The answer to a request, counted while it is under way. Throws ServiceError unless it is 2xx. */
export async function ask(url: URL, options: RequestInit = {}): Promise<Response> {
  count(1);
  try {
    const response = await send(url, options);
    if (response.ok) return response;
    const body: unknown = await response.json().catch(() => null);
    const error = (body as { error?: ErrorBody } | null)?.error;
    throw new ServiceError(
      response.status,
      error?.code ?? 'http',
      error?.message ?? response.statusText,
      error?.details ?? {},
    );
  } catch (error) {
    if (isAbort(error) || error instanceof ServiceError) throw error;
    throw new ServiceError(0, 'network', error instanceof Error ? error.message : String(error));
  } finally {
    count(-1);
  }
}

async function take<G extends Geometry, P>(
  path: string,
  params: Params,
  signal?: AbortSignal,
  pages = Number.POSITIVE_INFINITY,
): Promise<Taken<G, P>> {
  const features: Feature<G, P>[] = [];
  let url: URL | null = address(path, { limit: PAGE_LIMIT, ...params });
  for (let page = 0; url && page < pages; page += 1) {
    const answer: Page<G, P> = await getJson<Page<G, P>>(url, signal);
    features.push(...answer.features);
    const next: string | undefined = answer.links?.find((link) => link.rel === 'next')?.href;
    url = next && answer.features.length > 0 ? nextPage(next, url.href) : null;
  }
  return { features, partial: url !== null };
}

const inBox = (bbox: Bbox): string => bbox.map((value) => value.toFixed(6)).join(',');

export const service = {
  overview: (signal?: AbortSignal) => getJson<Overview>(address('overview'), signal),
  styles: (signal?: AbortSignal) => getJson<Styles>(address('styles'), signal),
  grids: (signal?: AbortSignal) => take<Geometry, GridProperties>('grids', { level: 1 }, signal),
  grid: (code: string, signal?: AbortSignal) =>
    getJson<GridDetail>(address(`grids/${encodeURIComponent(code)}`), signal),
  areas: (signal?: AbortSignal) => take<Geometry, AreaProperties>('areas', {}, signal),
  locate: ([lon, lat]: LonLat, crs?: string, signal?: AbortSignal) =>
    getJson<LocateAnswer>(address('locate', { lon, lat, crs }), signal),
  componentClasses: async (signal?: AbortSignal) =>
    (await getJson<{ classes: ComponentClass[] }>(address('components/classes'), signal)).classes,
  components: (bbox: Bbox, signal?: AbortSignal) =>
    take<Point, ComponentProperties>('components', { bbox: inBox(bbox) }, signal, 3),
  clusters: (bbox: Bbox, cell: number, signal?: AbortSignal) =>
    take<Point, ClusterProperties>(
      'components/clusters',
      { bbox: inBox(bbox), cell, limit: null },
      signal,
      1,
    ),
  component: (code: string, signal?: AbortSignal) =>
    getJson<ComponentDetail>(address(`components/${encodeURIComponent(code)}`), signal),
  facilityCategories: async (signal?: AbortSignal) =>
    (await getJson<{ categories: FacilityCategory[] }>(address('facilities/categories'), signal)).categories,
  facilities: (category: string, signal?: AbortSignal) =>
    take<Point, FacilityProperties>('facilities', { category }, signal),
  streets: (bbox: Bbox, cls: readonly string[], signal?: AbortSignal) =>
    take<Geometry, Record<string, unknown>>('streets', { bbox: inBox(bbox), cls: cls.join(',') }, signal, 4),
  water: (bbox: Bbox, signal?: AbortSignal) =>
    take<Geometry, Record<string, unknown>>('water', { bbox: inBox(bbox) }, signal, 2),
  buildings: (bbox: Bbox, signal?: AbortSignal) =>
    take<Geometry, Record<string, unknown>>('buildings', { bbox: inBox(bbox) }, signal, 3),
  circles: (profile: Profile, signal?: AbortSignal) =>
    getJson<CirclesSummary>(address('circles', { profile }), signal),
  coverage: (category: string, profile: Profile, by: Place, signal?: AbortSignal) =>
    getJson<Coverage>(address('circles/coverage', { category, profile, by }), signal),
  isochrones: (category: string, profile: Profile, signal?: AbortSignal) =>
    getJson<Page<Geometry, { category: string; minutes: number }>>(
      address('circles/polygons', { category, profile }),
      signal,
    ),
  blindSpots: (category: string, profile: Profile, signal?: AbortSignal) =>
    getJson<BlindSpots>(address('circles/blind-spots', { category, profile, limit: BLIND_SPOTS }), signal),
  buildingsReached: (category: string, profile: Profile, bbox: Bbox, signal?: AbortSignal) =>
    take<Point, BuildingReachProperties>(
      'circles/buildings',
      { category, profile, bbox: inBox(bbox) },
      signal,
      3,
    ),
  nearest: (from: From, mover: Mover, signal?: AbortSignal) =>
    getJson<NearestAnswer>(address('circles/nearest', { ...from, ...mover, routes: 'true' }), signal),
  ranges: (from: From, mover: Mover, signal?: AbortSignal) =>
    getJson<RangesAnswer>(address('circles/isochrones', { ...from, ...mover, minutes: '5,10,15' }), signal),
  computeCircles: (profile: Profile) => postJson<QueuedJob>(address('circles'), { profile }),
  job: (id: number) => getJson<Job>(address(`jobs/${id}`)),
};

/** Where a question about reach begins. */
export type From = { building: number } | { facility: number } | { lon: number; lat: number };
/** Who moves, and how fast just now: metres a second, or a share of the usual speed for cars. */
export interface Mover {
  profile: Profile;
  speed?: number | null;
  factor?: number | null;
}
