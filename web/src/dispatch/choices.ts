/** The grids a report may go to: the owner, candidates by probability, grids near by, professional grids. */

import type { Direction, Near } from './nearby';
import type { Located } from './types';

export interface Choice {
  code: string;
  name: string;
  /** The community, where it is not the one of the place. */
  community: string;
  /** Name of the professional system, empty for the comprehensive grids. */
  system: string;
  probability: number | null;
  metres: number | null;
  direction: Direction | null;
  owns: boolean;
}

/** How far around a place grids are offered although nothing points to them. */
export const AROUND_METRES = 60;

/** What can be chosen for a place: the owner first, likely grids next, near ones after them, professional ones last. */
export function choicesOf(
  answer: Located,
  near: readonly Near[],
  nameOf: (code: string, name: string | null) => string,
  communityOf: (code: string) => string = () => '',
): Choice[] {
  const likely = new Map(answer.candidates.map((candidate) => [candidate.code, candidate]));
  const around = new Map(near.map((entry) => [entry.code, entry]));
  const owner = answer.owner?.code ?? null;
  const codes = new Set([
    ...(owner === null ? [] : [owner]),
    ...[...likely.values()].sort((a, b) => b.probability - a.probability).map(({ code }) => code),
    ...near.map(({ code }) => code),
    ...(answer.nearest ? [answer.nearest.code] : []),
  ]);
  const names = new Map(answer.candidates.map(({ code, name }) => [code, name]));
  if (answer.owner) names.set(answer.owner.code, answer.owner.name);
  if (answer.nearest) names.set(answer.nearest.code, answer.nearest.name);
  const plain = [...codes].map((code): Choice => {
    const entry = around.get(code);
    const away = code === answer.nearest?.code ? answer.nearest.metres : null;
    return {
      code,
      name: nameOf(code, names.get(code) ?? null),
      community: owner !== null && communityOf(code) === communityOf(owner) ? '' : communityOf(code),
      system: '',
      probability: likely.get(code)?.probability ?? null,
      metres: code === owner ? 0 : (entry?.metres ?? away),
      direction: entry?.direction ?? null,
      owns: code === owner,
    };
  });
  const professional = Object.entries(answer.professional).flatMap(([system, grid]): Choice[] =>
    grid === null
      ? []
      : [
          {
            ...{ code: grid.code, name: grid.name, community: '', system },
            ...{ probability: null, metres: null, direction: null, owns: false },
          },
        ],
  );
  return [...plain, ...professional];
}
