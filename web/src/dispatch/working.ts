/** Work on reports: open one, give it to another grid, bring it on, store a new one. */

import type { App } from '../core/app';
import { ServiceError } from '../core/client';
import { t } from '../i18n';
import { report as tellError, toast } from '../ui/toasts';
import type { Locating } from './locating';
import type { Queueing } from './queueing';
import * as service from './service';
import type { DispatchStore } from './state';
import type { Stage } from './types';
import { gridName, stageName } from './words';

export interface Working {
  open(id: number): Promise<void>;
  close(): void;
  /** Read the open report again when the queue says that it has changed. */
  refresh(): Promise<void>;
  /** Give the open report to a grid. Resolves to whether it was done. */
  reassign(grid: string, reason: string, stage: Stage | null): Promise<boolean>;
  bring(stage: Stage, note: string, reopen?: boolean): Promise<boolean>;
  create(body: service.NewReport): Promise<void>;
}

export function working(app: App, store: DispatchStore, places: Locating, queue: Queueing): Working {
  /** What the page itself did is no news to tell. */
  let changing = false;

  async function read(id: number): Promise<void> {
    const opened = await service.report(id);
    if (store.get().open === id) store.set({ opened });
  }

  async function open(id: number): Promise<void> {
    store.set({ open: id, opened: null, moving: false, target: null });
    try {
      await read(id);
      const { opened } = store.get();
      if (opened && store.get().open === id) await places.report(opened.report);
    } catch (error) {
      if (store.get().open === id) store.set({ open: null });
      tellError(error);
    }
  }

  async function refresh(): Promise<void> {
    const { open: id, opened, rows } = store.get();
    if (changing || id === null || !opened) return;
    const row = rows.find((entry) => entry.id === id);
    const same =
      row &&
      Date.parse(row.updated_at) ===
        Math.floor(Date.parse(opened.report.properties.updated_at) / 1000) * 1000;
    if (same) return;
    await read(id).catch(tellError);
    if (store.get().opened?.tag !== opened.tag) toast(t('dispatch.changedNow'), 'done');
  }

  /** Do a change; tell what is there now when somebody else was quicker. */
  async function change(id: number, work: () => Promise<unknown>, done: string): Promise<boolean> {
    changing = true;
    try {
      await work();
      toast(done, 'done');
      await Promise.all([read(id), queue.look()]);
      return true;
    } catch (error) {
      if (error instanceof ServiceError && error.status === 412) {
        const now = error.details['current'] as {
          grid: string | null;
          stage: Stage;
          grid_name: string | null;
        };
        const grid = now.grid ? gridName(app, now.grid, now.grid_name) : t('dispatch.noGrid');
        toast(t('dispatch.stale', { grid, stage: stageName(now.stage) }));
        await read(id).catch(tellError);
      } else tellError(error);
      return false;
    } finally {
      changing = false;
    }
  }

  return {
    open,
    refresh,
    close: () => store.set({ open: null, opened: null, moving: false, target: null }),
    async reassign(grid, reason, stage) {
      const { opened } = store.get();
      if (!opened) return false;
      const { id } = opened.report;
      const professional = store.get().choices.find(({ code, system }) => code === grid && system);
      const name = professional?.name ?? gridName(app, grid, null);
      const body = { grid, reason, ...(stage ? { stage } : {}) };
      const work = async (): Promise<void> => {
        await service.reassign(id, opened.tag, body);
        if (store.get().open === id) store.set({ moving: false, target: null });
      };
      return change(id, work, t('dispatch.moved', { id, grid: name }));
    },
    async bring(stage, note, reopen = false) {
      const { opened } = store.get();
      if (!opened) return false;
      const { id } = opened.report;
      const body = { stage, ...(note ? { note } : {}), ...(reopen ? { reopen } : {}) };
      const work = (): Promise<void> => service.update(id, opened.tag, body);
      return change(id, work, t('dispatch.stageDone', { id, stage: stageName(stage) }));
    },
    async create(body) {
      const made = await service.create(body);
      toast(t('dispatch.created', { id: made.id }), 'done');
      changing = true;
      await queue.look().catch(tellError);
      changing = false;
      await open(made.id);
    },
  };
}
