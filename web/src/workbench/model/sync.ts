/**
 * Keeps a plan in step with the service: saves by itself after a pause, tries again when there is no answer, takes in
 * what others do, holds back units two people gave to different grids until one says mine or theirs. One request at a
 * time; work not saved is kept over a reload together with the history.
 */

import { asKept, bringBack, kept, type Flight } from './keeping';
import type {
  Clock,
  Conflict,
  EditsAnswer,
  PlanModel,
  PlanServer,
  SaveAnswer,
  Sync,
  SyncOptions,
  SyncState,
} from './interface';
import { workOf } from './model';
import { pendingCount, pendingOperations, takeIn, unitKey, type Conflicts } from './saving';
import { codeKey, gridLevel, levelOf, setSaved } from './state';
import type { Operation } from './types';
import { didSomething, doAlive, doMove, perform, tell, type Txn, type Work } from './work';

const KEEP_DELAY = 60;
const FEED_ROUNDS = 20;

const realClock: Clock = {
  now: () => Date.now(),
  after: (milliseconds, call) => {
    const timer = setTimeout(call, milliseconds);
    return () => clearTimeout(timer);
  },
};

interface Failure {
  status: number;
  code: string;
  message: string;
  details: Readonly<Record<string, unknown>>;
}

function failureOf(error: unknown): Failure {
  const known = error as Partial<Failure> | null;
  return {
    status: typeof known?.status === 'number' ? known.status : 0,
    code: typeof known?.code === 'string' ? known.code : 'network',
    message: error instanceof Error ? error.message : String(error),
    details: known?.details ?? {},
  };
}

/** No answer, or one that says to come again. */
const passing = ({ status }: Failure): boolean =>
  status === 0 || status >= 500 || status === 408 || status === 425 || status === 429;

export function createSync(model: PlanModel, server: PlanServer, options: SyncOptions = {}): Sync {
  const work = workOf(model);
  const { store, autosave = 800, poll: pollEvery = 2500, retry = 1000, retryMost = 30_000 } = options;
  const clock = options.clock ?? realClock;
  const newKey = options.newKey ?? ((): string => crypto.randomUUID());
  const place = `plan:${work.plan.id}`;
  const conflicts: Conflicts = new Map();
  const told = {
    state: new Set<(state: SyncState) => void>(),
    conflicts: new Set<(found: readonly Conflict[]) => void>(),
    others: new Set<(edit: Parameters<Parameters<Sync['onOthers']>[0]>[0]) => void>(),
  };
  let shown: SyncState = {
    status: 'saved',
    version: work.version,
    pending: 0,
    conflicts: 0,
    savedAt: null,
    retryAt: null,
    error: null,
  };
  let flight: Flight | null = null;
  let failures = 0;
  let running = false;
  let queue: Promise<unknown> = Promise.resolve();
  const timers: Record<'save' | 'poll' | 'keep', (() => void) | null> = {
    save: null,
    poll: null,
    keep: null,
  };

  const later = (which: keyof typeof timers, milliseconds: number, call: () => void): void => {
    timers[which]?.();
    timers[which] = clock.after(milliseconds, () => {
      timers[which] = null;
      call();
    });
  };

  const show = (change: Partial<SyncState> = {}): SyncState => {
    const next = {
      ...shown,
      version: work.version,
      pending: pendingCount(work.state),
      conflicts: conflicts.size,
      ...change,
    };
    if (JSON.stringify(next) !== JSON.stringify(shown)) {
      shown = next;
      for (const listener of [...told.state]) listener(shown);
    }
    return shown;
  };

  const showConflicts = (): void => {
    const list = [...conflicts.values()];
    for (const listener of [...told.conflicts]) listener(list);
  };

  /** How things stand when nothing is under way. */
  const settled = (): SyncState => {
    if (pendingOperations(work.state, conflicts).length > 0)
      return show({ status: 'dirty', retryAt: null, error: null });
    return show({ status: conflicts.size > 0 ? 'conflict' : 'saved', retryAt: null, error: null });
  };

  const keep = (): void => {
    if (!store) return;
    later('keep', KEEP_DELAY, () => {
      // a browser that keeps nothing must not stop the work
      store.set(place, kept(work, flight)).catch(() => undefined);
    });
  };

  const inTurn = <T>(call: () => Promise<T>): Promise<T> => {
    const next = queue.then(call, call);
    queue = next.catch(() => undefined);
    return next;
  };

  const took = (txn: Txn): void => {
    if (didSomething(txn) || txn.grids.size > 0) tell(work, txn, 'others');
  };

  // --- others' edits ---------------------------------------------------------------------------

  const catchUp = async (): Promise<void> => {
    for (let round = 0; round < FEED_ROUNDS; round += 1) {
      const answer: EditsAnswer = await server.edits(work.version);
      const before = conflicts.size;
      for (const edit of [...answer.edits].sort((one, two) => one.version - two.version)) {
        if (edit.version <= work.version) continue;
        const txn = takeIn(work, edit.operations, edit, conflicts);
        work.version = edit.version;
        if (!didSomething(txn)) continue;
        took(txn);
        const { version, at, author } = edit;
        const units = [...txn.moved.values()].flatMap((moved) => [...moved.keys()]);
        for (const listener of [...told.others])
          listener({ version, at, author, units, grids: [...txn.grids] });
      }
      if (conflicts.size !== before) showConflicts();
      if (answer.edits.length === 0 || work.version >= answer.version) {
        // versions may grow without edits (a plan renamed): nothing more will come of them
        work.version = Math.max(work.version, answer.version);
        break;
      }
    }
    keep();
    if (shown.status !== 'refused' && shown.status !== 'offline') settled();
    else show();
  };

  // --- saving ------------------------------------------------------------------------------------

  const takeOff = (): Flight | null => {
    if (flight) return flight;
    const operations = pendingOperations(work.state, conflicts);
    if (operations.length === 0) return null;
    const numbers = operations.flatMap((op): [string, number][] => {
      if (op.op !== 'create') return [];
      const name = codeKey(op.level, op.code);
      return [[name, work.state.byCode.get(name)!]];
    });
    return { request: { base: work.version, key: newKey(), operations }, numbers };
  };

  const landed = (done: Flight, answer: SaveAnswer): void => {
    const ours = { numbers: new Map(done.numbers), codes: answer.codes };
    took(
      takeIn(work, done.request.operations, { author: '', at: '', version: answer.version, ours }, conflicts),
    );
    flight = null;
    failures = 0;
    show({ savedAt: clock.now() });
  };

  const send = async (): Promise<SyncState> => {
    for (let round = 0; round < 3; round += 1) {
      flight = takeOff();
      if (!flight) return settled();
      keep();
      show({ status: 'saving', retryAt: null, error: null });
      try {
        landed(flight, await server.save(flight.request));
        keep();
        await catchUp().catch(() => undefined);
        const state = settled();
        if (state.status === 'dirty') schedule(autosave);
        return state;
      } catch (error) {
        const failure = failureOf(error);
        if (passing(failure)) return offline(failure);
        const refusedFlight = flight;
        flight = null;
        if (failure.status !== 409 || !(await standsAgainst(failure, refusedFlight))) return refused(failure);
      }
    }
    return settled();
  };

  const offline = (failure: Failure): SyncState => {
    failures += 1;
    const wait = Math.min(retryMost, retry * 2 ** (failures - 1));
    keep();
    if (running) later('save', wait, () => void save());
    const { code, message } = failure;
    return show({ status: 'offline', retryAt: clock.now() + wait, error: { code, message } });
  };

  const refused = ({ code, message }: Failure): SyncState => {
    keep();
    return show({ status: 'refused', retryAt: null, error: { code, message } });
  };

  /** After a 409: see what others did and hold back what stands against it. Whether there is something left to try. */
  const standsAgainst = async (failure: Failure, lost: Flight): Promise<boolean> => {
    const sent = JSON.stringify(lost.request.operations);
    try {
      await catchUp();
    } catch (error) {
      const second = failureOf(error);
      if (passing(second)) return false;
      throw error;
    }
    for (const one of listed(failure.details['conflicts'])) hold(one);
    showConflicts();
    return JSON.stringify(pendingOperations(work.state, conflicts)) !== sent;
  };

  /** A conflict the service names and the feed did not show. */
  const hold = (one: Conflict): void => {
    const level = levelOf(work.state, one.level);
    const theirs = one.theirs === null ? -1 : (work.state.byCode.get(codeKey(one.level, one.theirs)) ?? -1);
    setSaved(level, one.unit, theirs);
    const key = unitKey(one.level, one.unit);
    if (level.owner[one.unit] !== theirs && !conflicts.has(key))
      conflicts.set(key, { ...one, locked: false });
  };

  const schedule = (wait: number): void => {
    if (running) later('save', wait, () => void save());
  };

  const save = (): Promise<SyncState> => {
    timers.save?.();
    timers.save = null;
    // a stroke under way is saved when it is done
    if (work.open) return Promise.resolve(shown);
    return inTurn(send);
  };

  const pollLoop = (): void => {
    later('poll', pollEvery, () => {
      void poll().finally(() => {
        if (running) pollLoop();
      });
    });
  };

  const poll = (): Promise<void> =>
    inTurn(async () => {
      // while it is not known whether our own edit came in, the feed may hold it as if it were another's
      if (flight || work.open) return;
      await catchUp().catch(() => undefined);
    });

  model.on(({ cause }) => {
    if (cause === 'others' || cause === 'restored' || cause === 'saved') return;
    for (const [key, { level, unit }] of conflicts) {
      const there = levelOf(work.state, level);
      if (there.owner[unit] === there.saved[unit]) conflicts.delete(key);
    }
    if (work.open) return;
    keep();
    if (shown.status === 'offline') show();
    else {
      settled();
      schedule(autosave);
    }
  });

  // --- beginning -----------------------------------------------------------------------------------

  const restore = async (): Promise<void> => {
    const record = asKept(work, await store?.get(place).catch(() => undefined));
    if (!record) return;
    let codes: Record<string, string> = {};
    if (record.flight) {
      try {
        codes = (await server.save(record.flight.request)).codes;
      } catch (error) {
        // not known yet: sent again under the same key until it is
        if (passing(failureOf(error))) flight = record.flight;
      }
      if (!flight) await catchUp().catch(() => undefined);
    }
    const txn = bringBack(work, record, codes, conflicts);
    if (flight) flight = { ...flight, numbers: namedNow(flight) };
    await nameAuthors(record.base);
    tell(work, txn, 'restored');
    if (conflicts.size > 0) showConflicts();
  };

  const namedNow = (one: Flight): [string, number][] =>
    one.numbers.map(([name]) => [name, work.state.byCode.get(name)!]);

  /** Whose edits the conflicts found on the way back are. */
  const nameAuthors = async (base: number): Promise<void> => {
    if (conflicts.size === 0) return;
    const answer = await server.edits(base).catch(() => null);
    for (const { operations, author, at, version } of answer?.edits ?? []) {
      for (const op of operations) {
        if (op.op !== 'assign') continue;
        for (const unit of op.units) {
          const one = conflicts.get(unitKey(op.level, unit));
          if (one) Object.assign(one, { author, at, version });
        }
      }
    }
  };

  const resolve: Sync['resolve'] = (which, choice) => {
    const keys =
      which === 'all' ? [...conflicts.keys()] : which.map(({ level, unit }) => unitKey(level, unit));
    const chosen = keys.map((key) => conflicts.get(key)).filter((one) => one !== undefined);
    if (choice === 'mine') {
      for (const one of chosen) if (!stillLocked(work, one)) conflicts.delete(unitKey(one.level, one.unit));
    } else {
      for (const one of chosen) conflicts.delete(unitKey(one.level, one.unit));
      perform(work, 'theirs', (txn) => {
        for (const { level, unit } of chosen) takeTheirs(work, txn, level, unit);
      });
    }
    showConflicts();
    keep();
    settled();
    schedule(0);
  };

  return {
    get state() {
      return shown;
    },
    get conflicts() {
      return [...conflicts.values()];
    },
    start: async () => {
      running = true;
      await inTurn(restore);
      pollLoop();
      keep();
      if (settled().status === 'dirty' || flight) schedule(0);
    },
    stop: () => {
      running = false;
      for (const which of ['save', 'poll', 'keep'] as const) {
        timers[which]?.();
        timers[which] = null;
      }
      store?.set(place, kept(work, flight)).catch(() => undefined);
    },
    save,
    poll,
    resolve,
    pending: (): Operation[] => pendingOperations(work.state, conflicts),
    onState: (listener) => added(told.state, listener),
    onConflicts: (listener) => added(told.conflicts, listener),
    onOthers: (listener) => added(told.others, listener),
  };
}

function added<T>(to: Set<T>, listener: T): () => void {
  to.add(listener);
  return () => void to.delete(listener);
}

const listed = (found: unknown): Conflict[] =>
  Array.isArray(found)
    ? (found as Conflict[]).filter((one) => Number.isInteger(one?.unit) && Number.isInteger(one?.level))
    : [];

function stillLocked(work: Work, one: Conflict): boolean {
  if (!one.locked) return false;
  const level = levelOf(work.state, one.level);
  const grids = [level.saved[one.unit]!, level.owner[one.unit]!];
  return grids.some((grid) => grid >= 0 && work.state.grids[grid]!.locked);
}

/** A unit goes where it is saved, on its level and the deeper ones. */
function takeTheirs(work: Work, txn: Txn, number: number, unit: number): void {
  for (const level of work.state.levels) {
    if (level.level < number) continue;
    const theirs = level.saved[unit]!;
    if (theirs >= 0 && gridLevel(work.state, theirs) === level) doAlive(work, txn, theirs, true);
    doMove(work, txn, level, unit, theirs);
  }
}
