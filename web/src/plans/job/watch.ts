/** Watching one job: its state, and the best plan so far, until it ends. */
import { isAbort, ServiceError } from '../../core/client';
import { plansService } from '../service';
import type { PlanJob, Preview } from '../types';

const LOOK_MS = 900;
/** After a failed look the next one waits longer, up to this. */
const LOOK_MOST_MS = 8000;

export const ended = ({ state }: PlanJob): boolean =>
  state === 'done' || state === 'failed' || state === 'cancelled';

export interface WatchHooks {
  job: (job: PlanJob) => void;
  preview: (preview: Preview) => void;
  /** The service did not answer; it is asked again. */
  lost: (error: unknown) => void;
}

/** Look again and again. Returns the function that stops it. */
export function watchJob(id: number, hooks: WatchHooks): () => void {
  const abort = new AbortController();
  let timer: number | undefined;
  let revision: number | null = null;
  let failed = 0;

  async function look(): Promise<void> {
    try {
      const job = await plansService.job(id, abort.signal);
      hooks.job(job);
      const newer = await plansService.preview(id, revision, abort.signal).catch((error: unknown) => {
        // a job of some other kind, or one whose preview is gone, has none
        if (error instanceof ServiceError && error.status === 404) return null;
        throw error;
      });
      if (newer) {
        revision = newer.revision;
        hooks.preview(newer);
      }
      failed = 0;
      if (ended(job)) return;
    } catch (error) {
      if (isAbort(error)) return;
      failed += 1;
      hooks.lost(error);
      if (error instanceof ServiceError && error.status === 404) return;
    }
    timer = window.setTimeout(() => void look(), Math.min(LOOK_MS * 2 ** failed, LOOK_MOST_MS));
  }
  void look();
  return () => {
    abort.abort();
    window.clearTimeout(timer);
  };
}
