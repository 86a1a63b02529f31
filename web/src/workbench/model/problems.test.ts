import { describe, expect, it } from 'vitest';
import { createPlanModel, type PlanModel, type Problem } from './index';
import { city, countsFor, seeded, squares } from './testing/city';

const make = (river = 8, communities = 1, levels = 1): PlanModel => {
  const topology = city({ columns: 16, rows: 16, river, communities });
  return createPlanModel(topology, squares(topology, 16, 4, levels), countsFor(topology));
};

/** A model made anew from what another says now. */
function anew(model: PlanModel): PlanModel {
  const levels = model.levels.map(({ level, band }) => {
    const numbers = model.gridsOf(level);
    const place = new Map(numbers.map((grid, at) => [grid, at]));
    return {
      level,
      band,
      grids: numbers.map((grid) => ({ ...model.grids[grid]! })),
      owner: [...model.owners(level)].map((grid) => place.get(grid) ?? -1),
    };
  });
  const { id, name, area, status, unitSet } = model.plan;
  const band = { low: 300, high: 500 };
  return createPlanModel(
    model.topology,
    { plan: id, name, area, status, version: 1, unit_set: unitSet, band, levels },
    model.counts,
  );
}

/** Problems with codes for numbers, in an order of their own. */
const told = (model: PlanModel, level: number): unknown[] =>
  model
    .problems(level)
    .map((one) => ({ ...one, grids: one.grids.map((grid) => model.grids[grid]!.code) }))
    .sort((one, two) => (one.id < two.id ? -1 : 1));

const ofKind = (model: PlanModel, kind: Problem['kind']): Problem[] =>
  model.problems().filter((one) => one.kind === kind);

const at = (row: number, column: number): number => row * 16 + column;

/** Number of connected pieces of a set of units, by the arcs alone. */
function pieces(model: PlanModel, units: ReadonlySet<number>): number {
  const left = new Set(units);
  let count = 0;
  for (const first of units) {
    if (!left.delete(first)) continue;
    count += 1;
    const queue = [first];
    for (const unit of queue) {
      for (let arc = 0; arc < model.arcCount; arc += 1) {
        const [l, r] = [model.topology.arcLeft[arc]!, model.topology.arcRight[arc]!];
        const other = l === unit ? r : r === unit ? l : -1;
        if (left.delete(other)) queue.push(other);
      }
    }
  }
  return count;
}

describe('problems', () => {
  it('looked at bit by bit are those looked at whole', () => {
    for (const [seed, communities, levels] of [
      [1, 1, 1],
      [2, 2, 1],
      [3, 2, 2],
    ] as const) {
      const model = make(8, communities, levels);
      const random = seeded(seed);
      for (let step = 0; step < 80; step += 1) {
        const unit = random.below(model.unitCount);
        const { level } = random.pick(model.levels);
        const grid = random.pick(model.gridsOf(level));
        const [x, y] = [model.topology.point[2 * unit]!, model.topology.point[2 * unit + 1]!];
        if (random.next() < 0.1) model.removeGrid(grid);
        else if (random.next() < 0.1) model.setKind(grid, random.pick(['school', 'ordinary']));
        else if (random.next() < 0.15) model.undo();
        else if (random.next() < 0.1) model.merge(grid, model.neighboursOf(grid)[0]?.grid ?? grid);
        else model.assign(model.unitsAlong([[x, y]], 40), random.next() < 0.1 ? null : grid, level);
        model.problems();
        if (step % 8) continue;
        const whole = anew(model);
        for (const { level: one } of model.levels)
          expect(told(model, one), `seed ${seed} step ${step}`).toEqual(told(whole, one));
        const { inBand, outside, broken, splitCompounds, unassignedUnits } = whole.summary();
        expect(model.summary()).toMatchObject({ inBand, outside, broken, splitCompounds, unassignedUnits });
      }
    }
  });

  it('name grids out of band by how much', () => {
    const model = make();
    for (const grid of model.gridsOf(1)) {
      const { households } = model.figures(grid);
      const found = ofKind(model, 'out_of_band').filter((one) => one.grids[0] === grid);
      const beyond = Math.max(0, 300 - households, households - 500);
      expect(found.map(({ amount }) => amount)).toEqual(beyond > 0 ? [beyond] : []);
    }
    const [first] = ofKind(model, 'out_of_band');
    model.setKind(first!.grids[0]!, 'school');
    expect(ofKind(model, 'out_of_band').some((one) => one.grids[0] === first!.grids[0])).toBe(false);
  });

  it('find the pieces a walk over the borders finds', () => {
    const model = make();
    const random = seeded(4);
    for (let step = 0; step < 25; step += 1) model.assign([random.below(256)], random.pick(model.gridsOf(1)));
    const broken = new Map(ofKind(model, 'broken').map((one) => [one.grids[0], one]));
    for (const grid of model.gridsOf(1)) {
      const units = new Set(model.unitsOf(grid));
      const wanted = pieces(model, units);
      expect(broken.get(grid)?.amount ?? 1).toBe(wanted);
      for (const unit of broken.get(grid)?.units ?? []) units.delete(unit);
      expect(pieces(model, units)).toBe(1);
    }
  });

  it('tell a grid or a piece inside another from a school there', () => {
    const model = make();
    const born = model.createGrid({ level: 1 }, [at(1, 1), at(1, 2)]);
    const grid = born.ok ? born.grid : -1;
    expect(ofKind(model, 'enclave')).toMatchObject([
      { grids: [grid, model.ownerOf(0)], units: [at(1, 1), at(1, 2)] },
    ]);
    model.setKind(grid, 'school');
    expect(ofKind(model, 'enclave')).toEqual([]);
    model.assign([at(1, 5)], model.ownerOf(at(1, 9)));
    expect(ofKind(model, 'enclave')).toMatchObject([{ units: [at(1, 5)] }]);
    model.assign([at(1, 5)], null);
    expect(ofKind(model, 'enclave')).toEqual([]);
    expect(ofKind(model, 'unassigned')).toMatchObject([{ units: [at(1, 5)], grids: [] }]);
  });

  it('tell a grid across the river, where each side could do by itself', () => {
    const model = make(8);
    expect(ofKind(model, 'crosses_barrier')).toEqual([]);
    const over = [at(0, 8), at(1, 8), at(2, 8), at(3, 8), at(0, 9)];
    const grid = model.ownerOf(at(0, 7));
    model.assign(over, grid);
    const [found] = ofKind(model, 'crosses_barrier');
    expect(found).toMatchObject({ grids: [grid], units: [...over].sort((one, two) => one - two) });
    expect(found!.amount).toBeGreaterThan(150);
    model.undo();
    expect(ofKind(model, 'crosses_barrier')).toEqual([]);
  });

  it('tell compounds that would fit and are cut, once for each community', () => {
    const model = make();
    const { compound, households } = model.topology;
    const wanted = new Set<string>();
    for (let one = 0; one < model.topology.compounds.length; one += 1) {
      const owners = new Set<number>();
      for (let unit = 0; unit < 256; unit += 1) {
        if (compound[unit] === one && households[unit]! > 0) owners.add(model.ownerOf(unit));
      }
      if (owners.size > 1) wanted.add(model.topology.compounds[one]!);
    }
    expect(wanted.size).toBeGreaterThan(3);
    expect(new Set(ofKind(model, 'split_compound').map((one) => one.compound))).toEqual(wanted);
    expect(model.summary().splitCompounds).toBe(wanted.size);
  });
});

describe('borders', () => {
  it('dragged keep both grids whole and change no third', () => {
    const random = seeded(21);
    let moved = 0;
    for (let round = 0; round < 60; round += 1) {
      const model = make();
      const unit = random.below(256);
      const [x, y] = [model.topology.point[2 * unit]!, model.topology.point[2 * unit + 1]!];
      const hit = model.borderAt(x, y, 200);
      if (!hit || hit.b < 0) continue;
      const to: [number, number] = [
        hit.at[0] + 200 * (random.next() - 0.5),
        hit.at[1] + 200 * (random.next() - 0.5),
      ];
      const before = [...model.owners(1)];
      const drag = model.tryDrag(hit.a, hit.b, hit.at, to);
      expect([...model.owners(1)]).toEqual(before);
      const done = model.dragBorder(hit.a, hit.b, hit.at, to);
      expect(done.ok).toBe(drag.ok);
      if (!done.ok) continue;
      moved += 1;
      expect(new Set(done.units)).toEqual(new Set(drag.moves.units));
      for (let one = 0; one < 256; one += 1) {
        if (before[one] === model.ownerOf(one)) continue;
        expect([hit.a, hit.b]).toContain(before[one]);
        expect([hit.a, hit.b]).toContain(model.ownerOf(one));
      }
      for (const grid of [hit.a, hit.b]) expect(pieces(model, new Set(model.unitsOf(grid)))).toBe(1);
      for (const { grid, after } of drag.preview.grids)
        expect(model.figures(grid).households).toBe(after.households);
      const length = (lines: readonly Float64Array[]): number =>
        lines.reduce((sum, line) => sum + line.length, 0);
      expect(length(drag.snapped)).toBe(length(model.sharedBorder(hit.a, hit.b)));
    }
    expect(moved).toBeGreaterThan(20);
  });

  it('settle on a street nearby', () => {
    // the street runs between columns 4 and 5, the border between 3 and 4: pulled most of the way over column 4
    const model = make();
    const [a, b] = [model.ownerOf(at(5, 3)), model.ownerOf(at(5, 4))];
    const border = model.sharedBorder(a, b)[0]!;
    const middle = Math.floor(border.length / 4) * 2;
    const from: [number, number] = [border[middle]!, border[middle + 1]!];
    const drag = model.tryDrag(a, b, from, [from[0] + 36, from[1]]);
    expect(drag.ok).toBe(true);
    const columns = new Set(drag.moves.units.map((unit) => unit % 16));
    expect([...columns]).toEqual([4]);
    expect(drag.moves.to.every((grid) => grid === a)).toBe(true);
  });

  it('split a grid by the larger part of every unit', () => {
    const random = seeded(8);
    for (let round = 0; round < 30; round += 1) {
      const model = make();
      const grid = random.pick(model.gridsOf(1));
      const [minx, miny, maxx, maxy] = model.boxOfUnits(model.unitsOf(grid))!;
      const line: [number, number][] = [
        [minx - 5, miny + random.next() * (maxy - miny)],
        [maxx + 5, miny + random.next() * (maxy - miny)],
      ];
      const trial = model.trySplit(grid, line);
      if (!trial.ok) {
        expect(['one_side', 'breaks']).toContain(trial.reason);
        continue;
      }
      expect(new Set([...trial.left, ...trial.right])).toEqual(new Set(model.unitsOf(grid)));
      for (const side of [trial.left, trial.right]) expect(pieces(model, new Set(side))).toBe(1);
      // a share counted point by point tells the same side, but for units cut about in half
      const [p, q] = line as [[number, number], [number, number]];
      for (const unit of trial.left) expect(shareLeft(model, unit, p, q)).toBeGreaterThan(0.44);
      for (const unit of trial.right) expect(shareLeft(model, unit, p, q)).toBeLessThan(0.56);
      const before = model.figures(grid);
      const done = model.split(grid, line);
      const made = done.ok ? done.grid : -1;
      expect(model.figures(grid).households + model.figures(made).households).toBe(before.households);
      expect(model.figures(grid).households).toBeGreaterThanOrEqual(model.figures(made).households);
      expect(trial.preview.grids.map(({ after }) => after.households)).toEqual(
        [grid, made].map((one) => model.figures(one).households),
      );
    }
  });

  it('refuse lines that do not divide', () => {
    const model = make();
    const grid = model.ownerOf(0);
    const [minx, miny, maxx, maxy] = model.boxOfUnits(model.unitsOf(grid))!;
    const reason = (line: [number, number][]): unknown => model.split(grid, line);
    expect(reason([[minx, miny]])).toMatchObject({ reason: 'line' });
    expect(
      reason([
        [minx, miny],
        [minx, miny],
      ]),
    ).toMatchObject({ reason: 'line' });
    expect(
      reason([
        [minx, miny],
        [maxx, maxy],
        [maxx, miny],
        [minx, maxy],
      ]),
    ).toMatchObject({ reason: 'line' });
    expect(
      reason([
        [minx - 9, miny - 900],
        [maxx, miny - 900],
      ]),
    ).toMatchObject({ reason: 'one_side' });
    expect(model.steps()).toHaveLength(0);
  });
});

/** Share of a unit to the left of p → q, by points strewn over it. */
function shareLeft(model: PlanModel, unit: number, p: [number, number], q: [number, number]): number {
  const [minx, miny, maxx, maxy] = model.boxOf(unit);
  let [inside, left] = [0, 0];
  for (let i = 0; i < 30; i += 1) {
    for (let j = 0; j < 30; j += 1) {
      const x = minx + ((i + 0.5) / 30) * (maxx - minx);
      const y = miny + ((j + 0.5) / 30) * (maxy - miny);
      if (model.unitAt(x, y) !== unit) continue;
      inside += 1;
      if ((q[0] - p[0]) * (y - p[1]) - (q[1] - p[1]) * (x - p[0]) > 0) left += 1;
    }
  }
  return left / inside;
}

describe('places', () => {
  const model = make();
  const random = seeded(6);
  const [minx, miny, maxx, maxy] = model.boxOfUnits(model.unitsOf(model.ownerOf(0)))!;
  const anywhere = (): [number, number] => [
    minx - 20 + random.next() * (maxx - minx + 40) * 4,
    miny - 20 + random.next() * (maxy - miny + 40) * 4,
  ];

  const all = Array.from({ length: 256 }, (_, unit) => unit);
  const rings = all.map((unit) => model.ringsOfUnit(unit));

  /** Winding by brute force over the unit's own ring. */
  const holds = (unit: number, [x, y]: readonly [number, number]): boolean => {
    let inside = false;
    for (const { points } of rings[unit]!) {
      for (let k = 0; k + 3 < points.length; k += 2) {
        const [ax, ay, bx, by] = [points[k]!, points[k + 1]!, points[k + 2]!, points[k + 3]!];
        if (ay > y !== by > y && x < ax + ((y - ay) * (bx - ax)) / (by - ay)) inside = !inside;
      }
    }
    return inside;
  };

  it('find the unit of a point, one alone even on a common border', () => {
    for (let round = 0; round < 300; round += 1) {
      const point = anywhere();
      expect(model.unitAt(...point)).toBe(all.find((unit) => holds(unit, point)) ?? -1);
    }
    for (let unit = 0; unit < 256; unit += 1)
      expect(model.unitAt(model.topology.point[2 * unit]!, model.topology.point[2 * unit + 1]!)).toBe(unit);
    const corner = model.lineOfArc(300);
    expect(model.unitAt(corner[0]!, corner[1]!)).toBeGreaterThanOrEqual(-1);
  });

  it('find units under a brush: all that a point of it comes near, and no other', () => {
    for (let round = 0; round < 60; round += 1) {
      const [from, to] = [anywhere(), anywhere()];
      const end: [number, number] = [from[0] + (to[0] - from[0]) / 5, from[1] + (to[1] - from[1]) / 5];
      const found = new Set(model.unitsAlong([from, end], 25));
      for (let k = 0; k < 200; k += 1) {
        const [t, angle, far] = [random.next(), random.next() * 2 * Math.PI, random.next() * 25];
        const x = from[0] + t * (end[0] - from[0]) + far * Math.cos(angle);
        const y = from[1] + t * (end[1] - from[1]) + far * Math.sin(angle);
        const unit = model.unitAt(x, y);
        if (unit >= 0) expect(found).toContain(unit);
      }
      const wide = new Set(model.unitsAlong([from, end], 26));
      for (const unit of found) expect(wide).toContain(unit);
      for (const unit of found) {
        const [a, b, c, d] = model.boxOf(unit);
        expect(Math.max(from[0], end[0]) + 25 >= a && Math.min(from[0], end[0]) - 25 <= c).toBe(true);
        expect(Math.max(from[1], end[1]) + 25 >= b && Math.min(from[1], end[1]) - 25 <= d).toBe(true);
      }
    }
  });

  it('find units in a lasso by the larger part, by touch, by point', () => {
    for (let round = 0; round < 8; round += 1) {
      const [cx, cy] = anywhere();
      const ring = Array.from({ length: 14 }, (_, k): [number, number] => {
        const far = 60 + 120 * random.next();
        return [cx + far * Math.cos((k * Math.PI) / 7), cy + far * Math.sin((k * Math.PI) / 7)];
      });
      if (round % 2) ring.reverse();
      const inside = ([x, y]: readonly [number, number]): boolean => {
        let held = false;
        for (let k = 0; k < ring.length; k += 1) {
          const [[ax, ay], [bx, by]] = [ring[k]!, ring[(k + 1) % ring.length]!];
          if (ay > y !== by > y && x < ax + ((y - ay) * (bx - ax)) / (by - ay)) held = !held;
        }
        return held;
      };
      const most = new Set(model.unitsIn(ring));
      const touch = new Set(model.unitsIn(ring, 'touch'));
      const point = new Set(model.unitsIn(ring, 'point'));
      for (const unit of all) {
        const [x, y] = [model.topology.point[2 * unit]!, model.topology.point[2 * unit + 1]!];
        expect(point.has(unit)).toBe(inside([x, y]));
        const [a, b, c, d] = model.boxOf(unit);
        if (a > cx + 180 || c < cx - 180 || b > cy + 180 || d < cy - 180) continue;
        let [own, held] = [0, 0];
        for (let i = 0; i < 400; i += 1) {
          const place: [number, number] = [
            a + (((i % 20) + 0.5) / 20) * (c - a),
            b + ((Math.floor(i / 20) + 0.5) / 20) * (d - b),
          ];
          if (!holds(unit, place)) continue;
          own += 1;
          if (inside(place)) held += 1;
        }
        if (held / own > 0.56) expect(most).toContain(unit);
        if (held / own < 0.44) expect(most).not.toContain(unit);
        if (held > 0) expect(touch).toContain(unit);
      }
    }
  });
});
