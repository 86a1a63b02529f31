/** Asking who owns a place: the newest question wins. */
import type { App } from './app';
import { isAbort, service } from './client';
import type { GridDetail, LonLat } from './types';

export interface Asking {
  /** Ask who owns a place; `crs` names the system its coordinates are in, `building` the building pointed at. */
  place(point: LonLat, crs?: string, building?: number | null): Promise<void>;
  clear(): void;
}

export function asking(app: App, onError: (error: unknown) => void): Asking {
  const { store } = app;
  let placing: AbortController | null = null;

  return {
    async place(point, crs = 'wgs84', building = null) {
      placing?.abort();
      placing = new AbortController();
      const { signal } = placing;
      store.set({ selection: { point, crs, answer: null, grid: null, building } });
      try {
        const answer = await service.locate(point, crs, signal);
        if (signal.aborted) return;
        // The service answers with the place in the storage system, whatever was asked in.
        const at: LonLat = [answer.point.lon, answer.point.lat];
        store.set({ selection: { point: at, crs, answer, grid: null, building } });
        if (!answer.owner) return;
        const grid: GridDetail = await service.grid(answer.owner.code, signal);
        if (!signal.aborted) store.set({ selection: { point: at, crs, answer, grid, building } });
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
  };
}
