/** Pictures of plans, read when they come in sight and kept while the page is open. */
import { isAbort } from '../core/client';
import { h } from '../core/dom';
import { plansService } from './service';
import { drawThumbnail } from './thumbnail';
import type { Plan } from './types';

const WIDTH = 168;
const HEIGHT = 124;
/** Plans whose grids are read at the same time: the list must not keep the service from answering. */
const AT_ONCE = 2;

export interface Thumbnails {
  of: (plan: Plan) => HTMLElement;
}

export function createThumbnails(): Thumbnails {
  const kept = new Map<string, HTMLElement>();
  const plans = new Map<Element, Plan>();
  const waiting: (() => Promise<void>)[] = [];
  let running = 0;

  function next(): void {
    while (running < AT_ONCE && waiting.length > 0) {
      const task = waiting.shift();
      if (!task) return;
      running += 1;
      void task().finally(() => {
        running -= 1;
        next();
      });
    }
  }

  async function draw(host: HTMLElement, plan: Plan): Promise<void> {
    try {
      const grids = await plansService.grids(plan.id);
      if (grids.features.length === 0) host.classList.add('is-empty');
      const canvas = h('canvas', { class: 'thumbnail-map' });
      drawThumbnail(canvas, grids.features, plan.band, WIDTH, HEIGHT);
      host.replaceChildren(canvas);
    } catch (error) {
      if (!isAbort(error)) host.classList.add('is-empty');
    }
  }

  const seen = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        const plan = plans.get(target);
        if (!isIntersecting || !plan) continue;
        seen.unobserve(target);
        plans.delete(target);
        waiting.push(() => draw(target as HTMLElement, plan));
      }
      next();
    },
    { rootMargin: '200px' },
  );

  return {
    of(plan) {
      const key = `${plan.id}@${plan.version}`;
      let host = kept.get(key);
      if (!host) {
        host = h('div', { class: 'thumbnail' });
        kept.set(key, host);
        plans.set(host, plan);
        seen.observe(host);
      }
      return host;
    },
  };
}
