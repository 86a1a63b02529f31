/** The areas as a tree of rows: which are shown, given what is open and what is searched for. Pure. */
import type { AreaName } from '../../core/types';

export interface TreeRow {
  area: AreaName;
  /** 1 for the topmost. */
  depth: number;
  /** Whether it has areas below it, and whether they are shown. */
  open: boolean | null;
  above: string | null;
}

/** Most rows drawn at once: a province has tens of thousands of communities. */
export const ROWS_MOST = 300;

const LENGTHS = [6, 9, 12];

/** The code of the nearest stored area above. */
function above(code: string, known: ReadonlySet<string>): string | null {
  for (const length of [...LENGTHS].reverse()) {
    if (length < code.length && known.has(code.slice(0, length))) return code.slice(0, length);
  }
  return null;
}

export interface AreaTree {
  roots: readonly AreaName[];
  below: ReadonlyMap<string, readonly AreaName[]>;
  above: ReadonlyMap<string, string | null>;
}

export function treeOf(areas: readonly AreaName[]): AreaTree {
  const sorted = [...areas].sort((a, b) => (a.code < b.code ? -1 : 1));
  const known = new Set(sorted.map(({ code }) => code));
  const parents = new Map(sorted.map(({ code }) => [code, above(code, known)]));
  const below = new Map<string, AreaName[]>();
  const roots: AreaName[] = [];
  for (const area of sorted) {
    const parent = parents.get(area.code) ?? null;
    if (parent === null) roots.push(area);
    else below.set(parent, [...(below.get(parent) ?? []), area]);
  }
  return { roots, below, above: parents };
}

const says = (area: AreaName, words: readonly string[]): boolean => {
  const text = `${area.code} ${area.name} ${area.name_en ?? ''}`.toLowerCase();
  return words.every((word) => text.includes(word));
};

/** Rows from top to bottom. With words: areas that say them all, and those above; else what is open. */
export function rowsOf(tree: AreaTree, open: ReadonlySet<string>, text: string): TreeRow[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const rows: TreeRow[] = [];
  const kept = words.length > 0 ? found(tree, words) : null;
  function walk(areas: readonly AreaName[], depth: number, parent: string | null): void {
    for (const area of areas) {
      if (rows.length >= ROWS_MOST) return;
      if (kept && !kept.has(area.code)) continue;
      const inside = tree.below.get(area.code) ?? [];
      const shown = kept ? inside.some(({ code }) => kept.has(code)) : open.has(area.code);
      rows.push({ area, depth, open: inside.length > 0 ? shown : null, above: parent });
      if (shown) walk(inside, depth + 1, area.code);
    }
  }
  walk(tree.roots, 1, null);
  return rows;
}

function found(tree: AreaTree, words: readonly string[]): Set<string> {
  const kept = new Set<string>();
  const look = (areas: readonly AreaName[]): void => {
    for (const area of areas) {
      if (says(area, words)) {
        for (let code: string | null = area.code; code; code = tree.above.get(code) ?? null) kept.add(code);
      }
      look(tree.below.get(area.code) ?? []);
    }
  };
  look(tree.roots);
  return kept;
}
