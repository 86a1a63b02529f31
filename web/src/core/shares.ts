/** Figures of circles: shares, ranks, minutes. */
import type { CircleCategory, CoverageRow, NearestRow, Who } from './types';

/** part / whole, null where there is nothing to cover. */
export const share = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);

/** Share of those assessed who reach a facility over the streets, and as the crow flies. */
export const coveredShare = (row: CircleCategory, who: Who): number | null =>
  share(row[`${who}_covered`], row[`${who}_assessed`]);
export const straightShare = (row: CircleCategory, who: Who): number | null =>
  share(row[`straight_line_${who}_covered`], row[`${who}_assessed`]);

/** Those on the network whom no facility is near enough to; never those who cannot be assessed. */
export const blindCount = (row: CircleCategory, who: Who): number =>
  Math.max(0, row[`${who}_assessed`] - row[`${who}_covered`]);
export const unassessedCount = (row: CircleCategory, who: Who): number =>
  Math.max(0, row[`${who}_total`] - row[`${who}_assessed`]);

/** What a place's colour says: a share, people but none of them assessed, or nobody there. */
export function placeShare(row: CoverageRow | undefined, who: Who): number | 'unassessed' | 'none' {
  if (!row || row[who] === 0) return 'none';
  return share(row[`${who}_covered`], row[`${who}_assessed`]) ?? 'unassessed';
}

/** Whole minutes as people say them: never fewer than it takes. */
export const wholeMinutes = (seconds: number): number => Math.max(1, Math.ceil(seconds / 60));

/** Rows of each tier, the nearest circle first; in a tier by time, those without any facility last. */
export function nearestByTier(rows: readonly NearestRow[]): [number, NearestRow[]][] {
  const tiers = new Map<number, NearestRow[]>();
  for (const row of rows) {
    const tier = tiers.get(row.minutes);
    if (tier) tier.push(row);
    else tiers.set(row.minutes, [row]);
  }
  const late = Number.POSITIVE_INFINITY;
  for (const tier of tiers.values()) tier.sort((a, b) => (a.seconds ?? late) - (b.seconds ?? late) || 0);
  return [...tiers].sort(([a], [b]) => a - b);
}
