/** Plans the engine is making now, with how far each is. */
import { h, keepFocus, renew } from '../core/dom';
import { percent } from '../core/format';
import { onLang, t } from '../i18n';
import type { PlanJob } from './types';
import { duration } from './wording';

export interface Running {
  element: HTMLElement;
  show: (jobs: readonly PlanJob[]) => void;
}

/** What a job is doing, in a few words. */
export function stateText(job: PlanJob): string {
  if (job.state === 'queued') return t('plans.job.queued');
  if (job.cancel_asked && job.state === 'running') return t('plans.job.stopping');
  if (job.state !== 'running') return t(`plans.job.${job.state}`);
  const done = job.share === null || job.share <= 0.005 ? '' : percent(Math.min(job.share, 0.99));
  const left = job.eta === null ? '' : t('plans.job.left', { time: duration(job.eta) });
  return [done, left].filter(Boolean).join(' · ') || t('plans.job.starting');
}

/** A bar that says how far a job is; without a share it only says that it runs. */
export function progressBar(job: PlanJob, label: string): HTMLElement {
  const begun = job.share !== null && job.share > 0.005;
  const value = job.state === 'done' ? 1 : begun ? job.share : null;
  const fill = h('span', { class: 'progress-fill' });
  if (value !== null) fill.style.width = `${Math.round(value * 1000) / 10}%`;
  const unknown = value === null && (job.state === 'running' || job.state === 'queued');
  return h(
    'div',
    {
      class: `job-progress${unknown ? ' is-unknown' : ''}`,
      role: 'progressbar',
      'aria-label': label,
      'aria-valuemin': '0',
      'aria-valuemax': '100',
      'aria-valuenow': value === null ? null : Math.round(value * 100),
    },
    fill,
  );
}

export function createRunning(open: (job: PlanJob) => void, nameOf: (job: PlanJob) => string): Running {
  let jobs: readonly PlanJob[] = [];
  const element = h('section', { class: 'plans-running' });
  function draw(): void {
    element.hidden = jobs.length === 0;
    element.setAttribute('aria-label', t('plans.running'));
    keepFocus(element, () =>
      renew(
        element,
        h('h2', { text: t('plans.running') }),
        h(
          'ul',
          {},
          ...jobs.map((job) =>
            h(
              'li',
              { class: 'card running-job', 'data-job': job.id },
              h('span', { class: 'running-name', text: nameOf(job) }),
              progressBar(job, nameOf(job)),
              h('span', { class: 'amount', text: stateText(job) }),
              h('a', {
                id: `job-${job.id}-open`,
                class: 'button button-small button-plain',
                href: `./plans?job=${job.id}`,
                text: t('plans.job.watch'),
                'aria-label': `${t('plans.job.watch')} ${nameOf(job)}`,
                on: {
                  click: (event) => {
                    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
                    event.preventDefault();
                    open(job);
                  },
                },
              }),
            ),
          ),
        ),
      ),
    );
  }
  onLang(draw);
  draw();
  return {
    element,
    show(next) {
      jobs = next;
      draw();
    },
  };
}
