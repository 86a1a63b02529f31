import { describe, expect, it, vi } from 'vitest';
import { ringArea } from './geometry';
import { createPlanModel, decodeTopology, TopologyError, type GridFigures, type PlanModel } from './index';
import { city, countsFor, seeded, squares, type Random } from './testing/city';
import { encodeTopology } from './testing/encode';

// many random cases: slow on a busy machine, not wrong
vi.setConfig({ testTimeout: 30_000 });

const small = (levels = 1, communities = 1): PlanModel => {
  const topology = city({ columns: 16, rows: 12, river: 8, communities });
  return createPlanModel(topology, squares(topology, 16, 4, levels), countsFor(topology));
};

/** All figures of a level, from nothing but owners. */
function recomputed(model: PlanModel, level: number): Map<number, GridFigures> {
  const owner = model.owners(level);
  const out = new Map<number, GridFigures>();
  for (const grid of model.gridsOf(level)) {
    const sum = {
      units: 0,
      households: 0,
      population: 0,
      elderly: 0,
      priority: 0,
      components: 0,
      reportsPerMonth: 0,
      area: 0,
      perimeter: 0,
      compactness: 0,
    };
    for (let unit = 0; unit < owner.length; unit += 1) {
      if (owner[unit] !== grid) continue;
      sum.units += 1;
      for (const name of ['households', 'population', 'elderly', 'priority', 'area'] as const)
        sum[name] += model.topology[name][unit]!;
      sum.components += model.counts.components[unit]!;
      sum.reportsPerMonth += model.counts.reportsPerMonth[unit]!;
    }
    for (let arc = 0; arc < model.arcCount; arc += 1) {
      const of = (unit: number): number => (unit < 0 ? -1 : owner[unit]!);
      const [l, r] = [of(model.topology.arcLeft[arc]!), of(model.topology.arcRight[arc]!)];
      if (l !== r && (l === grid || r === grid)) sum.perimeter += model.topology.metres[arc]!;
    }
    if (sum.perimeter > 0) sum.compactness = (4 * Math.PI * sum.area) / sum.perimeter ** 2;
    out.set(grid, sum);
  }
  return out;
}

const near = (found: GridFigures, wanted: GridFigures): void => {
  for (const name of Object.keys(wanted) as (keyof GridFigures)[]) {
    expect(Math.abs(found[name] - wanted[name]), name).toBeLessThanOrEqual(
      1e-6 * Math.max(1, Math.abs(wanted[name])),
    );
  }
};

const agrees = (model: PlanModel): void => {
  for (const { level } of model.levels) {
    for (const [grid, wanted] of recomputed(model, level)) near(model.figures(grid), wanted);
  }
};

/** Owners, codes, names, kinds and locks: all that undo must bring back. */
const picture = (model: PlanModel): string =>
  JSON.stringify([
    model.levels.map(({ level }) => [...model.owners(level)]),
    model.grids.filter((grid) => grid.alive),
  ]);

/** Some random thing a planner does. */
function act(model: PlanModel, random: Random): void {
  const level = random.pick(model.levels).level;
  const grids = model.gridsOf(level);
  const grid = random.pick(grids);
  const unit = random.below(model.unitCount);
  const [x, y] = [model.topology.point[2 * unit]!, model.topology.point[2 * unit + 1]!];
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2:
      model.assign(
        model.unitsAlong(
          [
            [x, y],
            [x + 60, y + 40],
          ],
          30,
        ),
        random.next() < 0.1 ? null : grid,
        level,
      );
      break;
    case 3:
      model.createGrid({ level, kind: random.pick(['ordinary', 'school']) }, model.unitsAlong([[x, y]], 60));
      break;
    case 4:
      if (grids.length > 4) model.removeGrid(grid);
      break;
    case 5: {
      const other = model.neighboursOf(grid)[0];
      if (other) model.merge(grid, other.grid);
      break;
    }
    case 6:
    case 7:
      model.split(grid, [
        [x - 500, y - 100],
        [x, y],
        [x + 500, y + 200],
      ]);
      break;
    case 8: {
      const hit = model.borderAt(x, y, 100, level);
      if (hit && hit.b >= 0)
        model.dragBorder(hit.a, hit.b, hit.at, [
          hit.at[0] + 120 * (random.next() - 0.5),
          hit.at[1] + 120 * (random.next() - 0.5),
        ]);
      break;
    }
    case 9:
      model.setLocked(grid, random.next() < 0.3);
      break;
    case 10:
      model.setName(grid, `名${random.below(100)}`);
      break;
    default:
      model.renumber(grid, model.grids[grid]!.code.replace(/\d\d$/, String(10 + random.below(90))));
  }
}

describe('topology', () => {
  it('reads what was written, to the centimetre', () => {
    const made = city({ columns: 6, rows: 5, river: 3 });
    const read = decodeTopology(encodeTopology(made, [12_900_100, 4_200_100]));
    for (const name of Object.keys(made) as (keyof typeof made)[]) {
      const [one, two] = [read[name], made[name]];
      if (name !== 'points' && name !== 'point') expect(one, name).toEqual(two);
    }
    expect(Math.max(...read.points.map((value, at) => Math.abs(value - made.points[at]!)))).toBeLessThan(
      1e-6,
    );
  });

  it('refuses what is none, saying why', () => {
    const bytes = encodeTopology(city({ columns: 3, rows: 3 }), [12_900_000, 4_200_000]);
    const broken = (change: (view: Uint8Array) => void): (() => unknown) => {
      const copy = bytes.slice(0);
      change(new Uint8Array(copy));
      return () => decodeTopology(copy);
    };
    expect(broken((view) => (view[0] = 80))).toThrow(/not GGT1/);
    expect(() => decodeTopology(new ArrayBuffer(3))).toThrow(TopologyError);
    expect(() => decodeTopology(bytes.slice(0, 200))).toThrow(/ends inside its header/);
    expect(() => decodeTopology(bytes.slice(0, bytes.byteLength - 64))).toThrow(/ends inside array/);
    expect(broken((view) => (view[12] = 0))).toThrow(/no JSON/);
    const swapped = new TextDecoder().decode(new Uint8Array(bytes)).indexOf('EPSG:3857');
    expect(broken((view) => (view[swapped + 5] = 52))).toThrow(/EPSG:4857/);
  });
});

describe('a plan', () => {
  it('keeps figures as they would be recomputed, through anything', () => {
    for (const [seed, levels, communities] of [
      [1, 1, 1],
      [2, 2, 1],
      [3, 3, 2],
    ] as const) {
      const model = small(levels, communities);
      const random = seeded(seed);
      agrees(model);
      for (let step = 0; step < 60; step += 1) {
        act(model, random);
        if (step % 10 === 9) agrees(model);
        while (step % 7 === 6 && random.next() < 0.5) model.undo();
      }
      agrees(model);
    }
  });

  it('foresees the figures a change will have', () => {
    const model = small();
    const random = seeded(5);
    for (let round = 0; round < 40; round += 1) {
      const units = Array.from({ length: 1 + random.below(30) }, () => random.below(model.unitCount));
      const to = random.next() < 0.2 ? null : random.pick(model.gridsOf(1));
      const before = picture(model);
      const trial = model.preview(units, to);
      expect(picture(model)).toBe(before);
      for (const { grid, before: was } of trial.grids) near(model.figures(grid), was);
      model.assign(units, to);
      for (const { grid, after } of trial.grids) near(model.figures(grid), after);
    }
  });

  it('draws rings that hold just the area of their units', () => {
    const model = small();
    const random = seeded(9);
    for (let round = 0; round < 60; round += 1) {
      model.assign(
        [random.below(model.unitCount), random.below(model.unitCount)],
        random.pick(model.gridsOf(1)),
      );
      if (round % 6) continue;
      for (const grid of model.gridsOf(1)) {
        const rings = model.ringsOf(grid);
        const area = rings.reduce((sum, { points }) => sum + ringArea(points), 0);
        const wanted = model.figures(grid).area;
        expect(Math.abs(area - wanted)).toBeLessThan(1e-4 * wanted);
        for (const { points, hole } of rings) {
          expect([points[0], points[1]]).toEqual([points.at(-2), points.at(-1)]);
          expect(ringArea(points) < 0).toBe(hole);
          // simple: no vertex twice but the first
          const seen = new Set<string>();
          for (let at = 0; at < points.length - 2; at += 2) seen.add(`${points[at]} ${points[at + 1]}`);
          expect(seen.size).toBe(points.length / 2 - 1);
        }
        const polygons = model.polygonsOf(grid);
        expect(polygons.reduce((sum, polygon) => sum + polygon.length, 0)).toBe(rings.length);
        for (const [outer, ...holes] of polygons) {
          const open = ringArea(outer!) + holes.reduce((sum, hole) => sum + ringArea(hole), 0);
          expect(open).toBeGreaterThan(0);
        }
      }
    }
  });

  it('undoes and redoes everything, 250 steps deep', () => {
    const model = small(2);
    const random = seeded(11);
    const pictures = [picture(model)];
    while (model.steps().length < 250) {
      const before = model.steps().length;
      act(model, random);
      if (model.steps().length > before) pictures.push(picture(model));
    }
    for (let at = pictures.length - 2; at >= 0; at -= 1) {
      expect(model.undo()).toBe(true);
      expect(picture(model)).toBe(pictures[at]);
    }
    expect(model.undo()).toBe(false);
    for (let at = 1; at < pictures.length; at += 1) {
      expect(model.redo()).toBe(true);
      expect(picture(model)).toBe(pictures[at]);
    }
    expect(model.redo()).toBe(false);
    agrees(model);
  });

  it('makes one step of a stroke, and takes it back when cancelled', () => {
    const model = small();
    const before = picture(model);
    const grid = model.ownerOf(0);
    model.begin('assign');
    model.assign([4], grid);
    model.assign([5, 20], grid);
    model.cancel();
    expect(picture(model)).toBe(before);
    expect(model.canUndo).toBe(false);
    model.begin('assign');
    model.assign([4], grid);
    model.assign([5, 20], grid);
    model.commit();
    expect(model.steps()).toHaveLength(1);
    expect(model.steps()[0]).toMatchObject({ kind: 'assign', units: 3, done: true });
    model.undo();
    expect(picture(model)).toBe(before);
  });

  it('respects locks everywhere', () => {
    const model = small();
    const [a, b] = [model.ownerOf(0), model.ownerOf(4)];
    model.setLocked(a, true);
    const before = picture(model);
    expect(model.assign([0], b)).toMatchObject({ ok: false, reason: 'locked' });
    expect(model.assign([4], a)).toMatchObject({ ok: false, reason: 'locked', skipped: { locked: 1 } });
    expect(model.merge(a, b)).toMatchObject({ ok: false, reason: 'locked' });
    expect(model.merge(b, a)).toMatchObject({ ok: false, reason: 'locked' });
    expect(model.removeGrid(a)).toMatchObject({ ok: false, reason: 'locked' });
    expect(
      model.split(a, [
        [0, 0],
        [1, 1],
      ]),
    ).toMatchObject({ ok: false, reason: 'locked' });
    expect(model.renumber(a, '370811001001999')).toMatchObject({ ok: false, reason: 'locked' });
    expect(model.setName(a, 'x')).toMatchObject({ ok: false, reason: 'locked' });
    expect(model.dragBorder(a, b, [0, 0], [1, 1])).toMatchObject({ ok: false, reason: 'locked' });
    expect(picture(model)).toBe(before);
    expect(model.setAllLocked(1, true).ok).toBe(true);
    expect(model.summary().locked).toBe(12);
  });

  it('gives a unit over once the border is dragged past its middle', () => {
    const model = small();
    const { topology } = model;
    let moved = 0;
    for (let arc = 0; arc < topology.arcLeft.length; arc += 1) {
      const [one, unit] = [topology.arcLeft[arc]!, topology.arcRight[arc]!];
      if (one < 0 || unit < 0) continue;
      const [a, b] = [model.ownerOf(one), model.ownerOf(unit)];
      if (a === b || model.grids[a]!.community !== model.grids[b]!.community) continue;
      const line = model.lineOfArc(arc);
      const k = 2 * Math.floor(line.length / 4);
      const from: [number, number] = [(line[k - 2]! + line[k]!) / 2, (line[k - 1]! + line[k + 1]!) / 2];
      const middle = [topology.point[2 * unit]!, topology.point[2 * unit + 1]!] as const;
      const to: [number, number] = [
        from[0] + 1.2 * (middle[0] - from[0]),
        from[1] + 1.2 * (middle[1] - from[1]),
      ];
      const drag = model.tryDrag(a, b, from, to);
      // what would break the grid it is taken from stays
      if (drag.ok) expect(drag.moves.units).toContain(unit);
      else expect(drag.reason).toBe('breaks');
      moved += Number(drag.ok);
    }
    expect(moved).toBeGreaterThan(10);
  });

  it('keeps grids inside their community', () => {
    const model = small(1, 2);
    const [west, east] = [model.ownerOf(0), model.ownerOf(15)];
    expect(model.assign([15, 0], west)).toMatchObject({ ok: false, reason: 'community' });
    expect(model.merge(west, east)).toMatchObject({ ok: false, reason: 'community' });
  });

  it('carries smaller grids along when grids merge and split', () => {
    const model = small(2);
    const [a, b] = [model.ownerOf(0), model.ownerOf(4)];
    const inner = model.gridsOf(2).length;
    expect(model.merge(a, b).ok).toBe(true);
    expect(model.gridsOf(2)).toHaveLength(inner);
    const check = (): void => {
      for (let unit = 0; unit < model.unitCount; unit += 1) {
        const under = model.ownerOf(unit, 2);
        expect(under).toBeGreaterThanOrEqual(0);
        expect(model.grids[under]!.parent).toBe(model.grids[model.ownerOf(unit)]!.code);
      }
    };
    check();
    const [minx, miny, maxx, maxy] = model.boxOfUnits(model.unitsOf(a))!;
    const split = model.split(a, [
      [(minx + maxx) / 2 + 20, miny],
      [(minx + maxx) / 2 + 20, maxy],
    ]);
    expect(split.ok).toBe(true);
    check();
  });

  it('refuses codes that are wrong or taken', () => {
    const model = small();
    const [a, b] = [model.ownerOf(0), model.ownerOf(4)];
    expect(model.renumber(a, '37')).toMatchObject({ ok: false, reason: 'code' });
    expect(model.renumber(a, model.grids[b]!.code)).toMatchObject({ ok: false, reason: 'taken' });
    expect(model.renumber(a, '370811001001777').ok).toBe(true);
    expect(model.gridByCode('370811001001777')).toBe(a);
    model.undo();
    expect(model.gridByCode('370811001001777')).toBe(-1);
  });
});
