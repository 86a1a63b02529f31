/** What a person typed into the search box. */
import { parseCoordinate } from './coordinate';
import type { LonLat } from './types';

export type Query =
  | { kind: 'empty' }
  | { kind: 'point'; point: LonLat; crs: string }
  | { kind: 'code'; code: string }
  | { kind: 'component'; code: string }
  | { kind: 'text'; text: string };

const COMPONENT_DIGITS = 16;

/** Read a coordinate in any of the forms of `coordinate.ts`, a code, an address or a name. */
export function parseQuery(typed: string): Query {
  const text = typed.trim();
  if (text === '') return { kind: 'empty' };
  if (/^\d{3,}$/.test(text)) {
    return { kind: text.length === COMPONENT_DIGITS ? 'component' : 'code', code: text };
  }
  const found = parseCoordinate(text);
  return found ? { kind: 'point', ...found } : { kind: 'text', text };
}

export interface Hit {
  code: string;
  name: string;
  level: string;
}

/** The entries whose code or name holds `text`, exact codes first, then codes that start with it. */
export function findEntries(entries: readonly Hit[], text: string, limit = 8): Hit[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return [];
  const ranked: [number, Hit][] = [];
  for (const entry of entries) {
    const name = entry.name.toLowerCase();
    let rank = -1;
    if (entry.code === wanted || name === wanted) rank = 0;
    else if (entry.code.startsWith(wanted) || name.startsWith(wanted)) rank = 1;
    else if (entry.code.endsWith(wanted)) rank = 2;
    else if (name.includes(wanted) || entry.code.includes(wanted)) rank = 3;
    if (rank >= 0) ranked.push([rank, entry]);
  }
  return ranked
    .sort((a, b) => a[0] - b[0] || (a[1].code < b[1].code ? -1 : 1))
    .slice(0, limit)
    .map(([, entry]) => entry);
}
