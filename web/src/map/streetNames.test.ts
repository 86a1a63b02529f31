import { describe, expect, it } from 'vitest';
import { joinLines } from './streetNames';

const length = (lines: number[][][]): number =>
  lines.reduce(
    (sum, line) =>
      sum +
      line.slice(1).reduce((own, [x, y], at) => own + Math.hypot(x! - line[at]![0]!, y! - line[at]![1]!), 0),
    0,
  );

describe('joinLines', () => {
  it('makes one line of pieces, whichever way they run', () => {
    const pieces = [
      [
        [10, 0],
        [20, 0],
      ],
      [
        [10, 0],
        [0, 0],
      ],
      [
        [30, 5],
        [20, 0],
      ],
    ];
    const joined = joinLines(pieces);
    expect(joined).toHaveLength(1);
    expect([joined[0]?.[0], joined[0]?.[joined[0].length - 1]].sort()).toEqual([
      [0, 0],
      [30, 5],
    ]);
    expect(length(joined)).toBeCloseTo(length(pieces));
  });

  it('uses every piece once at crossings and in rings', () => {
    const pieces = [
      [
        [0, 0],
        [1, 0],
      ],
      [
        [1, 0],
        [2, 0],
      ],
      [
        [1, 0],
        [1, 1],
      ],
      [
        [5, 5],
        [6, 5],
      ],
      [
        [6, 5],
        [5, 6],
      ],
      [
        [5, 6],
        [5, 5],
      ],
    ];
    expect(length(joinLines(pieces))).toBeCloseTo(length(pieces));
    expect(joinLines([[[0, 0]]])).toEqual([]);
  });
});
