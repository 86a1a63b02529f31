/** Colours of grids so that neighbours differ and a grid that goes on has the same colour in both plans. Pure. */
import type { Geometry } from 'geojson';
import { ringsOf } from '../plans/thumbnail';

/** Soft enough for black text, told apart by most kinds of colour vision; neighbours are parted by lines as well. */
export const HUES = [
  '#8ec7e8',
  '#f7c873',
  '#a8d8a2',
  '#d9b3e0',
  '#f4a896',
  '#9fded3',
  '#d8cf8b',
  '#b9c2ea',
] as const;

export interface Shape {
  code: string;
  geometry: Geometry | null;
}

const key = (x: number, y: number): string => `${Math.round(x * 1e7)},${Math.round(y * 1e7)}`;

/** Codes of the grids each grid shares vertices with. */
export function neighbours(shapes: readonly Shape[]): Map<string, Set<string>> {
  const at = new Map<string, string[]>();
  const found = new Map(shapes.map(({ code }) => [code, new Set<string>()]));
  for (const { code, geometry } of shapes) {
    for (const ring of ringsOf(geometry)) {
      for (const [x = 0, y = 0] of ring) {
        const place = key(x, y);
        const here = at.get(place);
        if (!here) at.set(place, [code]);
        else if (!here.includes(code)) {
          for (const other of here) {
            found.get(code)?.add(other);
            found.get(other)?.add(code);
          }
          here.push(code);
        }
      }
    }
  }
  return found;
}

/** A number of colour for each grid: `given` stay; the others take the one least used among their neighbours. */
export function coloured(shapes: readonly Shape[], given: ReadonlyMap<string, number>): Map<string, number> {
  const beside = neighbours(shapes);
  const colours = new Map<string, number>();
  for (const { code } of shapes) {
    const own = given.get(code);
    if (own !== undefined) colours.set(code, own);
  }
  const rest = shapes.map(({ code }) => code).filter((code) => !colours.has(code));
  // most neighbours first, as Welsh and Powell (1967) do; equal ones by code, so that the picture stays the same
  rest.sort((a, b) => (beside.get(b)?.size ?? 0) - (beside.get(a)?.size ?? 0) || (a < b ? -1 : 1));
  const used = new Array<number>(HUES.length).fill(0);
  for (const own of colours.values()) used[own] = (used[own] ?? 0) + 1;
  for (const code of rest) {
    const near = new Array<number>(HUES.length).fill(0);
    for (const other of beside.get(code) ?? []) {
      const own = colours.get(other);
      if (own !== undefined) near[own] = (near[own] ?? 0) + 1;
    }
    let best = 0;
    for (let hue = 1; hue < HUES.length; hue += 1) {
      const [a, b] = [near[hue] ?? 0, near[best] ?? 0];
      if (a < b || (a === b && (used[hue] ?? 0) < (used[best] ?? 0))) best = hue;
    }
    colours.set(code, best);
    used[best] = (used[best] ?? 0) + 1;
  }
  return colours;
}

/** Colours of both plans: those of the plan before first, then heirs theirs, then what is new. */
export function pairColours(
  before: readonly Shape[],
  after: readonly Shape[],
  cameFrom: (code: string) => string | null,
): { before: Map<string, number>; after: Map<string, number> } {
  const first = coloured(before, new Map());
  const given = new Map<string, number>();
  for (const { code } of after) {
    const own = first.get(cameFrom(code) ?? '');
    if (own !== undefined) given.set(code, own);
  }
  return { before: first, after: coloured(after, given) };
}
