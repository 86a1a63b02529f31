import { describe, expect, it } from 'vitest';
import { createPlanModel, createSync, memoryStore, type PlanModel, type Store, type Sync } from './index';
import { city, countsFor, seeded, squares } from './testing/city';
import { handClock, type HandClock } from './testing/clock';
import { referenceServer, type ReferenceServer } from './testing/server';

const COLUMNS = 12;
const topology = city({ columns: COLUMNS, rows: 8, river: 6 });

let requests = 0;

interface Editor {
  model: PlanModel;
  sync: Sync;
  clock: HandClock;
  store: Store;
}

const serve = (levels = 1): ReferenceServer =>
  referenceServer(topology, squares(topology, COLUMNS, 4, levels));

async function open(
  server: ReferenceServer,
  name: string,
  store = memoryStore(),
  clock = handClock(),
): Promise<Editor> {
  const model = createPlanModel(topology, server.answer(), countsFor(topology));
  const sync = createSync(model, server.as(name), {
    store,
    clock,
    newKey: () => `${name}-${(requests += 1)}`,
  });
  await sync.start();
  return { model, sync, clock, store };
}

const codes = (model: PlanModel, level = 1): (string | null)[] =>
  [...model.owners(level)].map((grid) => (grid < 0 ? null : model.grids[grid]!.code));

/** Units whose smaller grid lies in another grid than they do. */
const misplaced = (model: PlanModel): number[] =>
  Array.from({ length: model.unitCount }, (_, unit) => unit).filter((unit) => {
    const under = model.levels.length > 1 ? model.ownerOf(unit, 2) : -1;
    return under >= 0 && model.grids[under]!.parent !== model.grids[model.ownerOf(unit)]?.code;
  });

describe('saving', () => {
  it('saves by itself after a pause, once for all', async () => {
    const server = serve();
    const { model, sync, clock } = await open(server, 'a');
    const to = model.ownerOf(0);
    model.assign([4], to);
    expect(sync.state).toMatchObject({ status: 'dirty', pending: 1 });
    await clock.pass(500);
    model.assign([5, 16], to);
    await clock.pass(700);
    expect(server.version()).toBe(1);
    await clock.pass(200);
    expect(server.version()).toBe(2);
    expect(sync.state).toMatchObject({ status: 'saved', pending: 0, version: 2, error: null });
    expect(server.owners(1)).toEqual(codes(model));
  });

  it('sends nothing of what was undone, and waits for the end of a stroke', async () => {
    const server = serve();
    const { model, sync, clock } = await open(server, 'a');
    model.assign([4], model.ownerOf(0));
    model.undo();
    await clock.pass(2000);
    model.begin('assign');
    model.assign([5], model.ownerOf(0));
    await clock.pass(2000);
    expect(server.calls()).toBe(0);
    model.commit();
    await clock.pass(1000);
    expect(server.calls()).toBe(1);
    expect(sync.state.status).toBe('saved');
  });

  it('gives new grids the codes of the service, in the history too', async () => {
    const server = serve();
    const { model, sync } = await open(server, 'a');
    const born = model.createGrid({ level: 1, kind: 'school', name: '一中' }, [0, 1]);
    expect(born.ok).toBe(true);
    const grid = born.ok ? born.grid : -1;
    expect(model.grids[grid]!.code).toBe('new:1');
    await sync.save();
    expect(model.grids[grid]!.code).toMatch(/^370811001001\d{3}$/);
    expect(server.owners(1)).toEqual(codes(model));
    model.undo();
    await sync.save();
    expect(server.grids(1).some(({ name }) => name === '一中')).toBe(false);
    model.redo();
    await sync.save();
    expect(server.grids(1).find(({ name }) => name === '一中')).toMatchObject({ kind: 'school' });
    expect(server.owners(1)).toEqual(codes(model));
  });

  it('does not send a grid nothing was painted in yet', async () => {
    const server = serve();
    const { model, sync } = await open(server, 'a');
    model.createGrid({ level: 1 });
    expect(await sync.save()).toMatchObject({ status: 'saved' });
    expect(server.calls()).toBe(0);
  });

  it('opens a locked grid, changes it and locks it again in one edit', async () => {
    const server = serve();
    const { model, sync } = await open(server, 'a');
    const grid = model.ownerOf(0);
    model.setLocked(grid, true);
    await sync.save();
    model.setLocked(grid, false);
    model.assign([4], grid);
    model.setName(grid, '改名');
    model.renumber(grid, '370811001001900');
    model.setLocked(grid, true);
    expect(await sync.save()).toMatchObject({ status: 'saved', pending: 0 });
    expect(server.grids(1).find(({ code }) => code === '370811001001900')).toMatchObject({
      name: '改名',
      locked: true,
    });
  });

  it('lets two grids swap their numbers', async () => {
    const server = serve();
    const { model, sync } = await open(server, 'a');
    const other = await open(server, 'b');
    const [a, b] = [model.ownerOf(0), model.ownerOf(4)];
    const [one, two] = [model.grids[a]!.code, model.grids[b]!.code];
    model.renumber(a, '370811001001990');
    model.renumber(b, one);
    model.renumber(a, two);
    await sync.save();
    expect(server.owners(1)[0]).toBe(two);
    expect(server.owners(1)[4]).toBe(one);
    await other.sync.poll();
    expect(codes(other.model)).toEqual(server.owners(1));
  });
});

describe('without an answer', () => {
  it('tries again, each time later, and stores once', async () => {
    const server = serve();
    const { model, sync, clock } = await open(server, 'a');
    server.fail('after');
    model.assign([4], model.ownerOf(0));
    await clock.pass(900);
    expect(sync.state).toMatchObject({ status: 'offline', pending: 1, error: { code: 'network' } });
    const calls = server.calls();
    await clock.pass(3100);
    expect(server.calls()).toBe(calls + 2);
    model.assign([5], model.ownerOf(0));
    server.fail(null);
    await clock.pass(60_000);
    expect(sync.state).toMatchObject({ status: 'saved', pending: 0 });
    expect(server.edits()).toHaveLength(2);
    expect(server.owners(1)).toEqual(codes(model));
  });

  it('keeps work not saved over a reload, and stores once what came in unseen', async () => {
    const server = serve();
    const first = await open(server, 'a');
    first.model.createGrid({ level: 1, name: '新' }, [0, 1, 12]);
    server.fail('after');
    await first.clock.pass(1000);
    first.model.assign([4], first.model.ownerOf(5 + COLUMNS * 4));
    const wanted = [...first.model.owners(1)].map((grid) => first.model.grids[grid]!.name);
    await first.clock.pass(100);
    first.sync.stop();
    server.fail(null);
    const again = await open(server, 'a', first.store);
    await again.clock.pass(3000);
    expect([...again.model.owners(1)].map((grid) => again.model.grids[grid]!.name)).toEqual(wanted);
    expect(again.sync.state).toMatchObject({ status: 'saved', pending: 0 });
    expect(server.owners(1)).toEqual(codes(again.model));
    expect(server.grids(1).filter(({ name }) => name === '新')).toHaveLength(1);
  });

  it('undoes after a reload', async () => {
    const server = serve(2);
    const first = await open(server, 'a');
    const start = codes(first.model);
    const random = seeded(3);
    for (let step = 0; step < 220; step += 1) {
      first.model.assign([random.below(topology.unitIds.length)], random.pick(first.model.gridsOf(1)));
      if (step % 50 === 0) await first.sync.save();
    }
    const count = first.model.steps().length;
    expect(count).toBeGreaterThan(180);
    await first.clock.pass(100);
    first.sync.stop();
    const again = await open(server, 'a', first.store);
    for (const level of [1, 2]) expect(codes(again.model, level)).toEqual(codes(first.model, level));
    expect(again.model.steps()).toHaveLength(count);
    while (again.model.undo());
    expect(codes(again.model)).toEqual(start);
    expect(misplaced(again.model)).toEqual([]);
    expect(await again.sync.save()).toMatchObject({ status: 'saved', error: null });
    expect(server.owners(1)).toEqual(start);
    expect(server.owners(2)).toEqual(codes(again.model, 2));
  });
});

describe('two editors', () => {
  it('see each other’s work, and undo only their own', async () => {
    const server = serve();
    const [a, b] = [await open(server, 'a'), await open(server, 'b')];
    const seen: string[] = [];
    b.sync.onOthers(({ author }) => seen.push(author));
    a.model.assign([4], a.model.ownerOf(0));
    b.model.assign([60], b.model.ownerOf(54));
    await a.sync.save();
    await b.sync.save();
    await a.sync.poll();
    expect(codes(a.model)).toEqual(codes(b.model));
    expect(codes(a.model)).toEqual(server.owners(1));
    expect(seen).toEqual(['a']);
    expect(b.sync.conflicts).toHaveLength(0);
    a.model.assign([60], a.model.ownerOf(95));
    await a.sync.save();
    await b.sync.poll();
    expect(b.model.undo()).toBe(false);
    expect(codes(b.model)).toEqual(server.owners(1));
  });

  it('take mine or theirs, unit by unit; the rest is saved meanwhile', async () => {
    const server = serve();
    const [a, b] = [await open(server, 'a'), await open(server, 'b')];
    const [left, right, up] = [0, 8, 4 * COLUMNS + 4].map((unit) => a.model.ownerOf(unit)) as [
      number,
      number,
      number,
    ];
    a.model.assign([4, 5, 6], left);
    await a.sync.save();
    b.model.assign([4, 5, 7], right);
    b.model.assign([3 * COLUMNS + 5], up);
    await b.sync.save();
    expect(b.sync.state).toMatchObject({ status: 'conflict', conflicts: 2, pending: 2 });
    expect(
      b.sync.conflicts.map(({ unit, author, theirs, yours }) => [unit, author, theirs, yours.to]),
    ).toEqual([4, 5].map((unit) => [unit, 'a', b.model.grids[left]!.code, b.model.grids[right]!.code]));
    expect(server.owners(1)[7]).toBe(b.model.grids[right]!.code);
    b.sync.resolve([{ level: 1, unit: 4 }], 'mine');
    b.sync.resolve([{ level: 1, unit: 5 }], 'theirs');
    expect(await b.sync.save()).toMatchObject({ status: 'saved', conflicts: 0, pending: 0 });
    expect(server.owners(1)[4]).toBe(b.model.grids[right]!.code);
    expect(server.owners(1)[5]).toBe(b.model.grids[left]!.code);
    await a.sync.poll();
    expect(codes(a.model)).toEqual(codes(b.model));
  });

  it('hold back what another has locked, until it is opened or given up', async () => {
    const server = serve();
    const [a, b] = [await open(server, 'a'), await open(server, 'b')];
    const grid = a.model.ownerOf(0);
    b.model.assign([4], grid);
    a.model.setLocked(grid, true);
    await a.sync.save();
    await b.sync.save();
    expect(b.sync.conflicts).toMatchObject([{ unit: 4, locked: true, author: 'a' }]);
    b.sync.resolve('all', 'mine');
    expect(b.sync.conflicts).toHaveLength(1);
    b.sync.resolve('all', 'theirs');
    expect(await b.sync.save()).toMatchObject({ status: 'saved', pending: 0 });
    expect(codes(b.model)).toEqual(server.owners(1));
  });

  it('keep a grid one has painted in that the other ended', async () => {
    const server = serve();
    const [a, b] = [await open(server, 'a'), await open(server, 'b')];
    const [gone, into] = [a.model.ownerOf(0), a.model.ownerOf(4)];
    a.model.merge(into, gone);
    await a.sync.save();
    b.model.assign([8], gone);
    await b.sync.save();
    if (b.sync.conflicts.length > 0) b.sync.resolve('all', 'mine');
    expect(await b.sync.save()).toMatchObject({ status: 'saved' });
    await a.sync.poll();
    expect(codes(a.model)).toEqual(server.owners(1));
    expect(codes(b.model)).toEqual(server.owners(1));
  });

  it('end alike, whatever both do and however they resolve', async () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      const random = seeded(seed);
      const server = serve(seed % 3 === 0 ? 2 : 1);
      const editors = [await open(server, 'a'), await open(server, 'b')];
      for (let turn = 0; turn < 60; turn += 1) {
        const { model, sync } = random.pick(editors);
        const grids = model.gridsOf(1);
        const unit = random.below(topology.unitIds.length);
        switch (random.below(10)) {
          case 0:
            await sync.save();
            break;
          case 1:
            await sync.poll();
            break;
          case 2:
            sync.resolve('all', random.next() < 0.5 ? 'mine' : 'theirs');
            break;
          case 3:
            model.undo();
            break;
          case 4:
            model.createGrid({ level: 1 }, [unit, unit > 0 ? unit - 1 : 1]);
            break;
          case 5: {
            const near = model.ownerOf(unit) >= 0 ? model.neighboursOf(model.ownerOf(unit))[0] : undefined;
            if (near) model.merge(near.grid, model.ownerOf(unit));
            break;
          }
          default:
            model.assign([unit, (unit + 1) % topology.unitIds.length], random.pick(grids));
        }
      }
      for (let round = 0; round < 6; round += 1) {
        for (const { sync } of editors) {
          await sync.save();
          await sync.poll();
          sync.resolve('all', random.next() < 0.5 ? 'mine' : 'theirs');
          await sync.save();
        }
      }
      for (const { sync } of editors) await sync.poll();
      for (const { model, sync } of editors) {
        expect(sync.state, `seed ${seed}`).toMatchObject({
          error: null,
          status: 'saved',
          pending: 0,
          conflicts: 0,
        });
        for (const { level } of model.levels)
          expect(codes(model, level), `seed ${seed}`).toEqual(server.owners(level));
        expect(misplaced(model), `seed ${seed}`).toEqual([]);
        const alive = model.gridsOf(1).filter((grid) => model.figures(grid).units > 0);
        expect(alive.map((grid) => model.grids[grid]!.code)).toEqual(
          server
            .grids(1)
            .map(({ code }) => code)
            .sort(),
        );
      }
    }
  });
});
