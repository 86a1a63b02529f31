/** Questions of the dispatch page to the service. */

import { address, ask, getJson, sendJson } from '../core/client';
import type { Asked } from './asked';
import type { Filters } from './state';
import type {
  EventService,
  Located,
  Opened,
  QueueAnswer,
  Reassignment,
  Report,
  Stage,
  Suggestion,
} from './types';

export interface NewReport {
  service_code: string;
  description: string;
  lon: number;
  lat: number;
  crs: string;
  accuracy?: number;
  address?: string;
  component_code?: string;
}

const json = (tag: string): Record<string, string> => ({
  Accept: 'application/json',
  'Content-Type': 'application/json',
  ...(tag ? { 'If-Match': tag } : {}),
});

export function locate(asked: Asked, accuracy: number | null, signal?: AbortSignal): Promise<Located> {
  const where =
    asked.kind === 'point'
      ? { lon: asked.lon, lat: asked.lat, crs: asked.crs }
      : asked.kind === 'component'
        ? { component: asked.code }
        : { address: asked.kind === 'address' ? asked.text : '' };
  return getJson<Located>(address('locate', { ...where, accuracy }), signal);
}

export const suggest = async (text: string, signal?: AbortSignal): Promise<Suggestion[]> =>
  (
    await getJson<{ suggestions: Suggestion[] }>(
      address('addresses/suggest', { text: text.slice(0, 100), limit: 7 }),
      signal,
    )
  ).suggestions;

/** One page of the queue, with its tag: the same tag means nothing has happened since. */
export async function queue(
  filters: Filters,
  limit: number,
  after: string | null,
): Promise<{ answer: QueueAnswer; tag: string }> {
  const { stage, major, area, unassigned, near, text } = filters;
  const response = await ask(
    address('reports/queue', {
      open: 'true',
      ...{ stage, major, area, text: text.trim(), limit, after },
      unassigned: unassigned ? 'true' : null,
      near_border: near ? 'true' : null,
    }),
    { headers: { Accept: 'application/json' } },
  );
  return { answer: (await response.json()) as QueueAnswer, tag: response.headers.get('ETag') ?? '' };
}

/** A report as it is now, with its tag and its audit. */
export async function report(id: number): Promise<Opened> {
  const [response, audit] = await Promise.all([
    ask(address(`reports/${id}`)),
    getJson<{ reassignments: Reassignment[] }>(address(`reports/${id}/reassignments`)),
  ]);
  return {
    report: (await response.json()) as Report,
    tag: response.headers.get('ETag') ?? '',
    audit: audit.reassignments,
  };
}

export async function reassign(
  id: number,
  tag: string,
  body: { grid: string; reason: string; stage?: Stage },
): Promise<void> {
  await ask(address(`reports/${id}/reassign`), {
    method: 'POST',
    headers: json(tag),
    body: JSON.stringify(body),
  });
}

export async function update(
  id: number,
  tag: string,
  body: { stage?: Stage; note?: string; reopen?: boolean },
): Promise<void> {
  await ask(address(`reports/${id}/updates`), {
    method: 'POST',
    headers: json(tag),
    body: JSON.stringify(body),
  });
}

export const create = (body: NewReport): Promise<Report> =>
  sendJson<Report>('POST', address('reports'), { ...body, channel: '指挥中心' });

/** The classes a report can be of. They are told by the Open311 inlet. */
export const classes = (): Promise<EventService[]> =>
  getJson<EventService[]>(new URL('open311/v2/services.json', document.baseURI));
