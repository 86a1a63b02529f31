/** A change in words: which fields went from what to what. */

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

/** A value as one short text; `empty` for nothing. */
export function short(value: unknown, empty: string): string {
  if (value === null || value === undefined || value === '') return empty;
  const rounded = typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
  const text = typeof rounded === 'object' ? JSON.stringify(rounded) : String(rounded);
  return text.length > CHARS ? `${text.slice(0, CHARS - 1)}…` : text;
}
