/** Asking who owns a place, and reading the coverage of a category: newest question wins. */
import type { App } from './app';
import { isAbort, service } from './client';
import type { GridDetail, LonLat } from './types';

export interface Asking {
  /** Ask who owns a place; `crs` names the system its coordinates are in. */
  place(point: LonLat, crs?: string): Promise<void>;
  clear(): void;
  /** Colour the grids by the coverage of a category, or by households again with null. */
  category(category: string | null): Promise<void>;
}

export function asking(app: App, onError: (error: unknown) => void): Asking {
  const { store } = app;
  let placing: AbortController | null = null;
  let covering: AbortController | null = null;

  return {
    async place(point, crs = 'wgs84') {
      placing?.abort();
      placing = new AbortController();
      const { signal } = placing;
      store.set({ selection: { point, crs, answer: null, grid: null } });
      try {
        const answer = await service.locate(point, crs, signal);
        if (signal.aborted) return;
        // The service answers with the place in the storage system, whatever was asked in.
        const at: LonLat = [answer.point.lon, answer.point.lat];
        store.set({ selection: { point: at, crs, answer, grid: null } });
        if (!answer.owner) return;
        const grid: GridDetail = await service.grid(answer.owner.code, signal);
        if (!signal.aborted) store.set({ selection: { point: at, crs, answer, grid } });
      } catch (error) {
        if (isAbort(error)) return;
        if (!store.get().selection?.answer) store.set({ selection: null });
        onError(error);
      }
    },
    clear() {
      placing?.abort();
      store.set({ selection: null, opened: null });
    },
    async category(category) {
      covering?.abort();
      store.set({ category });
      if (category === null) {
        store.set({ coverage: null });
        return;
      }
      covering = new AbortController();
      const { signal } = covering;
      try {
        const coverage = await service.coverage(category, signal);
        if (!signal.aborted) store.set({ coverage });
      } catch (error) {
        if (isAbort(error)) return;
        store.set({ category: null, coverage: null });
        onError(error);
      }
    },
  };
}
