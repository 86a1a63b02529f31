/** Service circles: the profile and category chosen, and what the service has computed for them. */
import { type App, isComputed } from './app';
import { isAbort, service } from './client';
import type { Job, Profile } from './types';

const LOOK_MS = 1000;

export interface Circling {
  /** Show a category, or none. */
  category(category: string | null): void;
  profile(profile: Profile): void;
  /** Read the figures of the profile; nothing where they are there or were never computed. */
  read(): Promise<void>;
  /** Compute the circles of a profile as a job of the service, and show them when it is done. */
  compute(profile: Profile): Promise<void>;
}

/** Words of a job that came to no result. */
function why({ state, error }: Job): string {
  return (typeof error === 'string' ? error : error?.message) ?? state;
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** Read what the state asks for; the newest question wins. */
export function circling(app: App, onError: (error: unknown) => void): Circling {
  const { store, catalog } = app;
  let reading: Promise<void> | null = null;
  let covering: AbortController | null = null;

  /** The figures of one profile; also tells which are computed. */
  async function figures(profile: Profile): Promise<void> {
    const summary = await service.circles(profile);
    if (store.get().profile === profile) store.set({ summary });
    store.set({ computed: summary.profiles });
  }

  async function ask(): Promise<void> {
    const stored = catalog.overview.circles?.profile;
    const { profile, computed } = store.get();
    try {
      // Profiles are computed beside the open page as well: look again before one is called missing.
      if (stored && !computed?.includes(profile)) await figures(stored);
      if (store.get().computed === null) store.set({ computed: [] });
      if (isComputed(store.get()) && store.get().summary?.profile !== profile) await figures(profile);
    } catch (error) {
      onError(error);
    }
  }

  function read(): Promise<void> {
    const { profile } = store.get();
    reading ??= ask().finally(() => {
      reading = null;
      // Another profile was chosen while this one was on its way.
      if (store.get().profile !== profile) void read();
    });
    return reading;
  }

  async function cover(): Promise<void> {
    covering?.abort();
    const { category, profile, by } = store.get();
    if (!category || !isComputed(store.get())) {
      store.set({ coverage: null, blind: null, spot: null });
      return;
    }
    covering = new AbortController();
    const { signal } = covering;
    try {
      const [coverage, blind] = await Promise.all([
        service.coverage(category, profile, by, signal),
        service.blindSpots(category, profile, signal),
      ]);
      if (!signal.aborted) store.set({ coverage, blind, spot: null });
    } catch (error) {
      if (isAbort(error)) return;
      store.set({ category: null });
      onError(error);
    }
  }
  store.on(['category', 'profile', 'by', 'computed'], () => void cover());

  return {
    category(category) {
      store.set({ category });
      void read();
    },
    profile(profile) {
      if (profile === store.get().profile) return;
      // A speed of the moment is one of this profile; another moves at its own.
      store.set({ profile, summary: null, speed: null });
      void read();
    },
    read,
    async compute(profile) {
      if (store.get().computing) return;
      store.set({ computing: { profile, share: 0 } });
      try {
        const { id } = await service.computeCircles(profile);
        for (;;) {
          const job = await service.job(id);
          if (job.state === 'failed' || job.state === 'cancelled') throw new Error(why(job));
          if (job.state === 'done') break;
          store.set({ computing: { profile, share: job.share ?? 0 } });
          await pause(LOOK_MS);
        }
        await figures(profile);
      } catch (error) {
        onError(error);
      } finally {
        store.set({ computing: null });
      }
    },
  };
}
