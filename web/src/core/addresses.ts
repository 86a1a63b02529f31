/** Addresses the service knows, for the search box. */
import { address, getJson } from './client';
import type { LonLat } from './types';

export interface FoundAddress {
  title: string;
  /** road, compound, door and so on. */
  kind: string;
  point: LonLat;
  grid: string | null;
}

interface Suggestion {
  text: string;
  kind: string;
  lon: number;
  lat: number;
}

interface Match {
  full: string;
  how: string;
  lon: number;
  lat: number;
  score: number;
  grid: string | null;
}

const SUGGESTED = 4;
const MATCHED = 3;
/** Matches less likely than this are left out. */
const LIKELY = 0.3;

/** What a text may mean: whole addresses first, then ways to go on typing. */
export async function findAddresses(text: string, signal: AbortSignal): Promise<FoundAddress[]> {
  const [searched, suggested] = await Promise.all([
    getJson<{ matches: Match[] }>(address('addresses/search', { text, limit: MATCHED }), signal),
    getJson<{ suggestions: Suggestion[] }>(address('addresses/suggest', { text, limit: SUGGESTED }), signal),
  ]);
  const matches = searched.matches
    .filter(({ score }) => score >= LIKELY)
    .map(({ full, how, lon, lat, grid }): FoundAddress => ({
      title: full,
      kind: how,
      point: [lon, lat],
      grid,
    }));
  const more = suggested.suggestions.map(({ text: title, kind, lon, lat }): FoundAddress => ({
    title,
    kind,
    point: [lon, lat],
    grid: null,
  }));
  const seen = new Set<string>();
  return [...matches, ...more].filter(({ title }) => !seen.has(title) && Boolean(seen.add(title)));
}
