/** A long list of which only what is in sight exists: which rows to draw, and where. */

export interface Span {
  first: number;
  /** One past the last row. */
  last: number;
}

/** Rows in sight, with `spare` more at both ends. */
export function windowOf(scrolled: number, height: number, row: number, total: number, spare = 6): Span {
  const first = Math.max(0, Math.floor(scrolled / row) - spare);
  const last = Math.min(total, Math.ceil((scrolled + height) / row) + spare);
  return { first: Math.min(first, Math.max(0, total)), last: Math.max(first > total ? total : first, last) };
}

/** Where to scroll so that row `at` is in sight; the place now when it is already. */
export function scrollFor(at: number, scrolled: number, height: number, row: number): number {
  if (at * row < scrolled) return at * row;
  if ((at + 1) * row > scrolled + height) return (at + 1) * row - height;
  return scrolled;
}
