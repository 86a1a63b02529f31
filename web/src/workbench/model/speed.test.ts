import { describe, expect, it } from 'vitest';
import { createPlanModel, createSync, decodeTopology, memoryStore } from './index';
import { city, countsFor, seeded, squares } from './testing/city';
import { encodeTopology } from './testing/encode';
import { referenceServer } from './testing/server';

// 20,000 units in about 900 grids: what a mouse move or a click may cost. Bounds are wide (a busy machine); the
// figures printed are the ones to look at.
const [COLUMNS, ROWS] = [160, 125];

/** Median and worst of so many calls, milliseconds. */
function timed(calls: number, call: (at: number) => unknown): { median: number; worst: number } {
  const spent: number[] = [];
  for (let at = 0; at < calls; at += 1) {
    const begin = performance.now();
    call(at);
    spent.push(performance.now() - begin);
  }
  spent.sort((one, two) => one - two);
  return { median: spent[Math.floor(calls / 2)]!, worst: spent.at(-1)! };
}

describe('20,000 units', () => {
  it('answer while the mouse moves', () => {
    const made = city({ columns: COLUMNS, rows: ROWS, river: 80 });
    const bytes = encodeTopology(made, [12_904_000, 4_203_000]);
    const answer = squares(made, COLUMNS, 5);
    const random = seeded(1);
    const rows: [string, { median: number; worst: number }, number][] = [];
    const note = (name: string, bound: number, found: { median: number; worst: number }): void => {
      rows.push([name, found, bound]);
    };
    note(
      'decodeTopology',
      1500,
      timed(3, () => decodeTopology(bytes)),
    );
    const topology = decodeTopology(bytes);
    note(
      'createPlanModel',
      3000,
      timed(3, () => createPlanModel(topology, answer, countsFor(topology))),
    );
    const model = createPlanModel(topology, answer, countsFor(topology));
    const grids = model.gridsOf(1);
    const fresh = [1, 2, 3, 4, 5].map(() => createPlanModel(topology, answer, countsFor(topology)));
    note(
      'problems, whole',
      1000,
      timed(5, (at) => fresh[at]!.problems()),
    );
    model.problems();
    note(
      'rings of all grids',
      3000,
      timed(1, () => grids.forEach((grid) => model.ringsOf(grid))),
    );
    const any = (): number => random.below(topology.unitIds.length);
    const patch = (size: number): number[] => {
      const unit = any();
      const [x, y] = [topology.point[2 * unit]!, topology.point[2 * unit + 1]!];
      return model.unitsAlong([[x, y]], size);
    };
    const hundred = Array.from({ length: 50 }, () => patch(260).slice(0, 100));
    const hundreds = Array.from({ length: 50 }, () => patch(450).slice(0, 300));
    note(
      'preview 100 units',
      20,
      timed(50, (at) => model.preview(hundred[at]!, random.pick(grids))),
    );
    note(
      'preview 300 units',
      40,
      timed(50, (at) => model.preview(hundreds[at]!, random.pick(grids))),
    );
    note(
      'unitAt',
      5,
      timed(500, () => model.unitAt(12_900_000 + random.next() * 8000, 4_200_000 + random.next() * 6250)),
    );
    note(
      'brush (unitsAlong)',
      10,
      timed(200, () => patch(60)),
    );
    note(
      'borderAt',
      10,
      timed(200, () =>
        model.borderAt(12_900_000 + random.next() * 8000, 4_200_000 + random.next() * 6250, 40),
      ),
    );
    const near = (unit: number): number => {
      const grid = model.ownerOf(unit);
      return grid < 0 ? grids[0]! : (model.neighboursOf(grid)[0]?.grid ?? grids[0]!);
    };
    note(
      'assign 1 unit',
      10,
      timed(200, () => {
        const unit = any();
        return model.assign([unit], near(unit));
      }),
    );
    note(
      'problems after 1 unit',
      50,
      timed(100, () => {
        const unit = any();
        model.assign([unit], near(unit));
        return model.problems();
      }),
    );
    note(
      'summary after 1 unit',
      50,
      timed(50, () => {
        const unit = any();
        model.assign([unit], near(unit));
        return model.summary();
      }),
    );
    note(
      'assign 1 + rings of both',
      20,
      timed(100, () => {
        const unit = any();
        const done = model.assign([unit], near(unit));
        return done.ok && done.grids.map((grid) => model.ringsOf(grid));
      }),
    );
    note(
      'assign 100 units',
      50,
      timed(30, (at) => model.assign(hundred[at]!, random.pick(grids))),
    );
    note(
      'undo',
      50,
      timed(200, () => model.undo()),
    );
    note(
      'redo',
      50,
      timed(100, () => model.redo()),
    );
    const place = (unit: number): [number, number] => [
      topology.point[2 * unit]!,
      topology.point[2 * unit + 1]!,
    ];
    note(
      'tryDrag',
      100,
      timed(60, () => {
        const [x, y] = place(any());
        const hit = model.borderAt(x, y, 200);
        return hit && hit.b >= 0 && model.tryDrag(hit.a, hit.b, hit.at, [hit.at[0] + 80, hit.at[1] + 40]);
      }),
    );
    note(
      'trySplit',
      100,
      timed(60, () => {
        const unit = any();
        const [x, y] = place(unit);
        return (
          model.ownerOf(unit) >= 0 &&
          model.trySplit(model.ownerOf(unit), [
            [x - 300, y - 20],
            [x + 300, y + 30],
          ])
        );
      }),
    );
    note(
      'borderArcs (whole level)',
      100,
      timed(10, () => model.borderArcs(1)),
    );
    const sync = createSync(model, referenceServer(topology, answer).as('a'), { store: memoryStore() });
    note(
      'what is to be sent',
      200,
      timed(10, () => sync.pending()),
    );
    const lines = rows.map(
      ([name, { median, worst }]) =>
        `${name.padEnd(28)} ${median.toFixed(3).padStart(9)} ${worst.toFixed(3).padStart(9)}`,
    );
    console.log(
      [`${topology.unitIds.length} units, ${grids.length} grids, ms: median, worst`, ...lines].join('\n'),
    );
    for (const [name, { median }, bound] of rows) expect(median, name).toBeLessThan(bound);
  }, 60_000);
});
