/** The table of moves: sorting, filtering, CSV; and figures side by side with which is better. Pure. */
import type { Figures, Move } from '../plans/types';

export const COLUMNS = ['old', 'new', 'households', 'population', 'units'] as const;
export type Column = (typeof COLUMNS)[number];
export interface Order {
  by: Column;
  down: boolean;
}

const compareBy = (by: Column, a: Move, b: Move): number => {
  const [x, y] = [a[by] ?? '', b[by] ?? ''];
  return x < y ? -1 : x > y ? 1 : 0;
};

/** Moves in order; equal ones the largest first, then by codes. */
export function sorted(moves: readonly Move[], { by, down }: Order): Move[] {
  const sign = down ? -1 : 1;
  return [...moves].sort(
    (a, b) =>
      sign * compareBy(by, a, b) ||
      b.households - a.households ||
      compareBy('old', a, b) ||
      compareBy('new', a, b),
  );
}

/** Moves one of whose codes has the text in it. */
export const filtered = (moves: readonly Move[], text: string): readonly Move[] => {
  const wanted = text.trim();
  return wanted
    ? moves.filter((move) => move.old.includes(wanted) || (move.new ?? '').includes(wanted))
    : moves;
};

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

const cell = (value: string | number): string => {
  const text = String(value);
  // a field that begins like a formula is one to spreadsheets; as data/csv_cells.py writes it, and reads it back
  const risky = typeof value === 'string' && /^'*[=+\-@\t\r\n＝＋－＠]/.test(text) && !NUMBER.test(text);
  const safe = risky ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

/** Moves as CSV (RFC 4180) with a byte order mark, which Excel needs to read Chinese. */
export function csvOf(moves: readonly Move[], names: Record<Column, string>): string {
  const lines = [COLUMNS.map((column) => cell(names[column])).join(',')];
  for (const move of moves) lines.push(COLUMNS.map((column) => cell(move[column] ?? '')).join(','));
  return `\uFEFF${lines.join('\r\n')}\r\n`;
}

export interface FigureRow {
  key: string;
  kind: 'count' | 'share' | 'ratio' | 'text';
  before: number | null;
  after: number | null;
  /** Shown in place of the numbers. */
  texts?: [string, string];
  verdict: 'better' | 'worse' | 'same' | 'none';
}

const READ: readonly [key: string, name: string, kind: FigureRow['kind'], good: -1 | 0 | 1][] = [
  ['grids', 'grids', 'count', 0],
  ['special_grids', 'special_grids', 'count', 0],
  ['in_band', 'in_band', 'share', 1],
  ['out', '', 'count', -1],
  ['outside', 'households_outside_band', 'count', -1],
  ['balance', '', 'share', -1],
  ['compactness', 'compactness_mean', 'ratio', 1],
  ['compactness_min', 'compactness_min', 'ratio', 1],
  ['on_streets', 'boundary_on_streets', 'share', 1],
  ['compounds_split', 'compounds_split', 'count', -1],
  ['crossing', 'grids_crossing_major', 'count', -1],
  ['broken', 'broken', 'count', -1],
];

const numberOf = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;

function valueOf(overall: Record<string, unknown>, key: string, name: string): number | null {
  if (key === 'out') {
    const [judged, inside] = [numberOf(overall['judged_grids']), numberOf(overall['in_band_grids'])];
    return judged === null || inside === null ? null : judged - inside;
  }
  if (key === 'balance') {
    const balance = overall['balance'] as Record<string, unknown> | null | undefined;
    return numberOf(balance?.['mean_deviation']);
  }
  return numberOf(overall[name]);
}

/** As they are shown: differences too small to be seen are none. */
const shownAs = (value: number, kind: FigureRow['kind']): number =>
  kind === 'count' ? Math.round(value) : Math.round(value * 1000) / 1000;

/** The figures both plans have, in the order they are read. */
export function figureRows(before: Figures, after: Figures): FigureRow[] {
  const rows: FigureRow[] = [];
  for (const [key, name, kind, good] of READ) {
    const [a, b] = [valueOf(before.overall, key, name), valueOf(after.overall, key, name)];
    if (a === null && b === null) continue;
    let verdict: FigureRow['verdict'] = 'none';
    if (a !== null && b !== null && good !== 0) {
      const difference = shownAs(b, kind) - shownAs(a, kind);
      verdict = difference === 0 ? 'same' : difference * good > 0 ? 'better' : 'worse';
    }
    rows.push({ key, kind, before: a, after: b, verdict });
  }
  return rows;
}
