/** The queue: pages as they are scrolled to, and what comes in while the page is open. */

import * as service from './service';
import type { DispatchStore } from './state';
import type { Queued } from './types';

export const PAGE = 200;
/** The most rows read again at once when something happened. */
const AGAIN_MOST = 1000;
const POLL_MS = 4000;
const FRESH_MS = 60_000;

export interface Queueing {
  /** Read the queue afresh, after a change of filters. */
  reload(): Promise<void>;
  /** Read on until row `wanted` is here. */
  reach(wanted: number): Promise<void>;
  /** See what has happened, now. */
  look(): Promise<void>;
  start(): void;
}

/**
 * Follow the queue. `onNew` gets reports that came in, `onChange` runs after the queue was read again because of
 * something that happened elsewhere.
 */
export function queueing(
  store: DispatchStore,
  report: (error: unknown) => void,
  onNew: (rows: readonly Queued[]) => void,
  onChange: () => void,
): Queueing {
  let tag = '';
  let turn = 0;
  let reading: Promise<void> | null = null;
  let told = false;

  async function reload(): Promise<void> {
    turn += 1;
    const mine = turn;
    store.set({ loading: true });
    try {
      const found = await service.queue(store.get().filters, PAGE, null);
      if (mine !== turn) return;
      tag = found.tag;
      const { reports, matched, stages, after } = found.answer;
      store.set({ rows: reports, matched, stages, after, active: 0 });
    } catch (error) {
      report(error);
    } finally {
      if (mine === turn) store.set({ loading: false });
    }
  }

  async function more(): Promise<void> {
    const mine = turn;
    const { filters, after, rows } = store.get();
    if (after === null) return;
    const { answer } = await service.queue(filters, PAGE, after);
    if (mine !== turn) return;
    const known = new Set(rows.map(({ id }) => id));
    store.set({
      rows: [...store.get().rows, ...answer.reports.filter(({ id }) => !known.has(id))],
      after: answer.after,
    });
  }

  async function reach(wanted: number): Promise<void> {
    while (reading) await reading;
    if (store.get().rows.length > wanted || store.get().after === null) return;
    reading = (async () => {
      while (store.get().rows.length <= wanted && store.get().after !== null) await more();
    })().catch(report);
    await reading;
    reading = null;
  }

  /** Whether a row is newer than all that were here. */
  function newcomers(before: readonly Queued[], now: readonly Queued[]): Queued[] {
    const known = new Set(before.map(({ id }) => id));
    const newest = before[0]?.reported_at ?? '';
    return now.filter(({ id, reported_at }) => !known.has(id) && reported_at >= newest);
  }

  async function look(): Promise<void> {
    const mine = turn;
    const { filters, rows } = store.get();
    const limit = Math.min(AGAIN_MOST, Math.max(PAGE, Math.ceil(rows.length / PAGE) * PAGE));
    const found = await service.queue(filters, limit, null);
    if (mine !== turn || found.tag === tag) return;
    tag = found.tag;
    const before = store.get();
    const { reports, matched, stages, after } = found.answer;
    const came = newcomers(before.rows, reports);
    const at = before.rows[before.active]?.id;
    const active = Math.max(
      0,
      reports.findIndex(({ id }) => id === at),
    );
    const fresh = new Set([...before.fresh, ...came.map(({ id }) => id)]);
    store.set({ rows: reports, matched, stages, after, active, fresh });
    if (came.length > 0) {
      onNew(came);
      window.setTimeout(() => {
        const left = new Set(store.get().fresh);
        for (const { id } of came) left.delete(id);
        store.set({ fresh: left });
      }, FRESH_MS);
    }
    onChange();
  }

  async function follow(): Promise<void> {
    if (!document.hidden) {
      try {
        await look();
        told = false;
      } catch (error) {
        if (!told) report(error); // once, not every few seconds
        told = true;
      }
    }
    window.setTimeout(() => void follow(), POLL_MS);
  }

  return {
    reload,
    reach,
    look,
    start() {
      window.setTimeout(() => void follow(), POLL_MS);
      document.addEventListener('visibilitychange', () => {
        if (!document.hidden) void look().catch(() => undefined);
      });
    },
  };
}
