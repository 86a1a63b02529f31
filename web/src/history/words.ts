/** A change in words: which fields went from what to what. */
import { lang, t, tOr } from '../i18n';

export type Row = Readonly<Record<string, unknown>>;

export interface Change {
  id: string | number;
  area: string;
  label: string;
  before: Row | null;
  after: Row | null;
}

export interface Entry {
  seq: number;
  at: string;
  principal: string;
  name: string;
  subject: string;
  action: 'insert' | 'update' | 'delete' | 'restore';
  rows: number;
  reason: string;
  origin: string;
  digest: { rows: number; ids: string; sha256: string } | null;
  changes: Change[];
}

const CHARS = 60;
/** Fields that say nothing to people when a row is told as a whole, or that follow from others. */
const QUIET = new Set(['id', 'updated_at', 'geometry', 'stats', 'version']);

/** Names of the fields that changed, in the order worth reading; a shape last. */
export function changedFields(change: Change): string[] {
  if (!change.before || !change.after) return [];
  const names = Object.keys(change.before).sort();
  const loud = names.filter((name) => !QUIET.has(name));
  return names.includes('geometry') ? [...loud, 'geometry'] : loud;
}

export const isEmpty = (value: unknown): boolean => value === null || value === undefined || value === '';

/** A range of generations, as PostgreSQL writes it: [2,) or [1,3). */
function generations(range: string): string | null {
  const bounds = /^\[(\d+),(\d*)\)$/.exec(range);
  if (!bounds) return null;
  const first = Number(bounds[1]);
  if (!bounds[2]) return t('history.v.generationOn', { first });
  const last = Number(bounds[2]) - 1;
  return last > first
    ? t('history.v.generations', { first, last })
    : t('history.v.generation', { number: first });
}

function moment(text: string): string | null {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text)) return null;
  const when = new Date(text);
  return Number.isNaN(when.getTime()) ? null : clock(when);
}

/** Date and time to the second, as the reader's language writes them. */
export const clock = (when: Date): string =>
  when.toLocaleString(lang() === 'en' ? 'en-GB' : 'zh-CN', { hour12: false });

/** A value as one short text in the reader's language. */
export function short(value: unknown): string {
  if (isEmpty(value)) return t('history.empty');
  const text = typeof value === 'object' ? JSON.stringify(value) : plain(value);
  return text.length > CHARS ? `${text.slice(0, CHARS - 1)}…` : text;
}

function plain(value: unknown): string {
  if (typeof value === 'number') return String(Math.round(value * 1000) / 1000);
  const text = String(value);
  const word = tOr(`history.v.${text}`, '') || tOr(`dispatch.stage.${text}`, '') || tOr(`role.${text}`, '');
  return word || generations(text) || moment(text) || text;
}
