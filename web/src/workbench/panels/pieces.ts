/** Connected pieces of units. */
import type { Bench } from '../tools/types';

/** The piece of `units` that holds `near`, or the largest piece, inside one community. */
export function pieceOf({ model }: Pick<Bench, 'model'>, units: Iterable<number>, near: number): number[] {
  const left = new Set(units);
  const { borders, topology } = model;
  let best: number[] = [];
  while (left.size > 0) {
    const [first] = left;
    const piece: number[] = [];
    const waiting = [first!];
    left.delete(first!);
    while (waiting.length > 0) {
      const unit = waiting.pop()!;
      piece.push(unit);
      for (let k = borders.start[unit]!; k < borders.start[unit + 1]!; k += 1) {
        const other = borders.to[k]!;
        if (!left.has(other) || topology.community[other] !== topology.community[unit]) continue;
        left.delete(other);
        waiting.push(other);
      }
    }
    if (piece.includes(near)) return piece;
    if (piece.length > best.length) best = piece;
  }
  return best;
}
