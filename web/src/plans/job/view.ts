/** One run of the engine: how far it is, the best plan so far on a map, its figures, and stopping it. */
import type Feature from 'ol/Feature';
import { transformExtent } from 'ol/proj';
import { bandClasses, classOf } from '../../core/classes';
import { h, icon, renew } from '../../core/dom';
import { number } from '../../core/format';
import type { Overview } from '../../core/types';
import { onLang, t } from '../../i18n';
import { openDialog } from '../../ui/dialog';
import { explain, toast } from '../../ui/toasts';
import { session } from '../../ui/who';
import type { Band } from '../../workbench/model/types';
import { workbenchOf } from '../card';
import { watchMap } from '../handle';
import { createPlanMap } from '../map';
import { progressBar, stateText } from '../running';
import { plansService } from '../service';
import type { PlanJob, Preview, PreviewGrid } from '../types';
import { duration, figure, share } from '../wording';
import { spreadChart, spreadOf } from './spread';
import { ended, watchJob } from './watch';

/** A moment to see the end before the plan is opened. */
const OPEN_MS = 900;

export interface JobView {
  element: HTMLElement;
  job: () => PlanJob | null;
  revision: () => number | null;
  close: () => void;
}

export interface JobViewHooks {
  overview: Overview;
  back: () => void;
  open: (address: string) => void;
  nameOf: (job: PlanJob) => string;
}

const bandOf = (preview: Preview | null, job: PlanJob | null, usual: Band): Band => {
  const told = preview?.figures['band'] ?? job?.params?.band;
  const parts = /^(\d+):(\d+)$/.exec(typeof told === 'string' ? told : '');
  return parts ? { low: Number(parts[1]), high: Number(parts[2]) } : usual;
};

/** Whether the band is about a grid. */
const isOrdinary = ({ kind }: PreviewGrid): boolean => kind === 'ordinary' || kind === 'residential';

/** Ask how to stop: with the best plan so far, or with nothing. Resolves to null when the run is to go on. */
function askStop(anything: boolean): Promise<'keep' | 'drop' | null> {
  return new Promise((resolve) => {
    let answer: 'keep' | 'drop' | null = null;
    const dialog = openDialog(t('plans.stopTitle'), 'stop-dialog', () => resolve(answer));
    const say = (wanted: 'keep' | 'drop', className: string): HTMLButtonElement =>
      h('button', {
        type: 'button',
        class: className,
        text: t(`plans.stop.${wanted}`),
        on: {
          click: () => {
            answer = wanted;
            dialog.close();
          },
        },
      });
    dialog.body.append(h('p', { text: t(anything ? 'plans.stopText' : 'plans.stopNothing') }));
    const keep = say('keep', 'button');
    dialog.foot.append(
      h('button', {
        type: 'button',
        class: 'button button-plain',
        text: t('plans.stop.goOn'),
        on: { click: dialog.close },
      }),
      say('drop', anything ? 'button button-plain is-danger' : 'button button-danger'),
    );
    if (anything) dialog.foot.append(keep);
    (anything ? keep : dialog.foot.querySelector('button'))?.focus();
  });
}

export function createJobView(id: number, hooks: JobViewHooks): JobView {
  let job: PlanJob | null = null;
  let best: Preview | null = null;
  let seenRunning = false;
  let fitted = false;
  let gone = false;
  let made = false;
  let taken = false;
  let opening: number | undefined;
  const shares: number[] = [];

  const target = h('div', { class: 'job-map', tabindex: '0' });
  const wait = h('p', { class: 'job-wait', role: 'status' });
  const back = h('button', {
    type: 'button',
    id: 'job-back',
    class: 'text-button job-back',
    on: { click: hooks.back },
  });
  const stop = h('button', {
    type: 'button',
    id: 'job-stop',
    class: 'button button-plain',
    on: { click: () => void halt() },
  });
  const heading = h('h2');
  const changing = h('div', { class: 'job-changing' });
  const buttons = h('div', { class: 'job-buttons' }, stop);
  // what is pressed stays in place while the rest is drawn anew
  const panel = h('div', { class: 'job-panel' }, back, heading, changing, buttons);
  const legend = h('div', { class: 'job-legend card' });
  const element = h(
    'section',
    { class: 'job-view' },
    h('div', { class: 'job-stage' }, target, wait, legend),
    panel,
  );
  const map = createPlanMap(target);
  watchMap(map.map, { grids: map.grids });
  const { bounds } = hooks.overview;
  if (bounds) queueMicrotask(() => map.fit(transformExtent(bounds, 'EPSG:4326', 'EPSG:3857'), false));
  const size = new ResizeObserver(() => {
    map.map.updateSize();
    if (fitted && !taken) map.fit(undefined, false);
  });
  size.observe(target);
  for (const kind of ['pointerdown', 'wheel', 'keydown'] as const) {
    target.addEventListener(kind, () => (taken = true), { passive: true });
  }

  const classesNow = (): ReturnType<typeof bandClasses> =>
    bandClasses(bandOf(best, job, hooks.overview.band));

  function lookAt(feature: Feature): { fill: string; label?: string } {
    const grid = feature.getProperties() as unknown as PreviewGrid;
    const classes = classesNow();
    const ordinary = isOrdinary(grid);
    const color = classes[classOf(classes, grid.households)]?.color ?? '#d9d9d9';
    return { fill: ordinary ? color : '#cbbfe0', label: number(grid.households) };
  }

  function showPreview(next: Preview): void {
    best = next;
    map.show(next);
    map.look(lookAt);
    // the plan grows cell by cell: all of it stays in sight until the reader looks at some place
    if (!taken && next.features.length > 0) {
      fitted = true;
      map.fit(undefined, false);
    }
    const inBand = next.figures.in_band;
    if (typeof inBand === 'number') shares.push(inBand);
    draw();
  }

  /** The plan as it was made, in place of the last look at it on the way. */
  async function showMade(plan: number, made: PlanJob): Promise<void> {
    const result = (made.result ?? {}) as Record<string, unknown>;
    const grids = await plansService.grids(plan).catch(() => null);
    if (!grids || gone) return;
    const figures = {
      ...best?.figures,
      grids: result['ordinary_grids'] ?? result['grids'],
      in_band: result['in_band'],
      units_left: result['units_left'] ?? 0,
    } as Preview['figures'];
    const features = grids.features.map((feature, number_) => ({
      ...feature,
      properties: { ...feature.properties, number: number_, in_band: feature.properties.in_band ?? null },
    }));
    showPreview({ type: 'FeatureCollection', features, revision: best?.revision ?? 0, figures });
  }

  const households = (): number[] =>
    (best?.features ?? [])
      .map(({ properties }) => properties)
      .filter(isOrdinary)
      .map((grid) => grid.households);

  function tiles(): HTMLElement | null {
    if (!best) return null;
    const spread = spreadOf(households());
    const left = Number(best.figures.units_left ?? 0);
    const one = (label: string, value: string, more?: string): HTMLElement =>
      h(
        'div',
        { class: 'job-tile' },
        h('dt', { text: label }),
        h('dd', { text: value }),
        more && h('dd', { class: 'muted', text: more }),
      );
    const before = shares.length > 1 ? shares[0] : undefined;
    const now = best.figures.in_band;
    const better =
      typeof now === 'number' && before !== undefined && now > before && share(now) !== share(before);
    return h(
      'dl',
      { class: 'job-tiles' },
      one(t('plans.ordinaryGrids'), figure(best.figures.grids ?? households().length)),
      one(t('plans.inBand'), share(now), better ? t('plans.atFirst', { share: share(before) }) : undefined),
      one(t('plans.least'), figure(spread?.least)),
      one(t('plans.most'), figure(spread?.most)),
      left > 0 && one(t('plans.unitsLeft'), figure(left)),
    );
  }

  function message(): HTMLElement | null {
    if (!job || !ended(job)) return null;
    const plan = job.result?.plan;
    if (job.state === 'done' || plan !== undefined) {
      return h(
        'div',
        { class: 'job-message is-done' },
        icon('check'),
        h('p', { text: t(job.state === 'done' ? 'plans.jobDone' : 'plans.jobKept') }),
        plan !== undefined &&
          h('a', { class: 'button', id: 'job-open', href: workbenchOf(plan), text: t('plans.openPlan') }),
      );
    }
    const { error } = job;
    const said = typeof error === 'string' ? error : (error?.message ?? '');
    return h(
      'div',
      { class: `job-message ${job.state === 'failed' ? 'is-failed' : ''}`, role: 'alert' },
      icon('warn'),
      h('p', { text: t(job.state === 'failed' ? 'plans.jobFailed' : 'plans.jobCancelled') }),
      said && h('p', { class: 'job-error', text: said }),
    );
  }

  function drawLegend(): void {
    const inside = classesNow();
    legend.hidden = best === null;
    renew(
      legend,
      h('h3', { text: t('plans.householdsPerGrid') }),
      h(
        'ul',
        {},
        ...inside.map(({ color, label_zh, label_en }) => {
          const swatch = h('span', { class: 'swatch' });
          swatch.style.background = color;
          const english = document.documentElement.lang === 'en';
          return h('li', {}, swatch, h('span', { text: english ? label_en : label_zh }));
        }),
        h('li', {}, h('span', { class: 'swatch swatch-none' }), h('span', { text: t('plans.special') })),
      ),
    );
  }

  function draw(): void {
    if (gone) return;
    const title = job ? hooks.nameOf(job) : t('plans.job.number', { id });
    const running = job !== null && !ended(job);
    const started = job?.started_at ? (Date.now() - new Date(job.started_at).getTime()) / 1000 : null;
    target.setAttribute('aria-label', t('plans.jobMap'));
    wait.hidden = best !== null || (job !== null && ended(job));
    wait.textContent = t('plans.waitFirst');
    renew(back, icon('left'), h('span', { text: t('plans.backToList') }));
    heading.textContent = title;
    stop.textContent = t('plans.stop');
    stop.disabled = Boolean(job?.cancel_asked);
    buttons.hidden = !running || !session.get().me.planner;
    renew(
      changing,
      job && progressBar(job, t('plans.progress')),
      job &&
        h(
          'p',
          { class: 'job-state' },
          h('span', { text: stateText(job) }),
          running &&
            started !== null &&
            h('span', { class: 'muted', text: t('plans.since', { time: duration(started) }) }),
        ),
      message(),
      tiles(),
      best !== null && households().length > 0
        ? h(
            'figure',
            { class: 'job-spread' },
            h('figcaption', { text: t('plans.spread') }),
            spreadChart(households(), bandOf(best, job, hooks.overview.band)) as unknown as HTMLElement,
          )
        : null,
      running && h('p', { class: 'muted', text: t('plans.mayLeave') }),
    );
    drawLegend();
  }

  async function halt(): Promise<void> {
    const how = await askStop(best !== null);
    if (!how || !job || ended(job)) return;
    try {
      await plansService.stop(id, how === 'keep');
    } catch (error) {
      toast(explain(error));
    }
  }

  const unwatch = watchJob(id, {
    job(next) {
      job = next;
      if (next.state === 'running' || next.state === 'queued') seenRunning = true;
      draw();
      const plan = next.result?.plan;
      if (ended(next) && plan !== undefined && !made) {
        made = true;
        void showMade(plan, next);
      }
      if (ended(next) && seenRunning && plan !== undefined && opening === undefined) {
        opening = window.setTimeout(() => hooks.open(workbenchOf(plan)), OPEN_MS);
      }
    },
    preview(next) {
      if (!made) showPreview(next);
    },
    lost: (error) => {
      wait.hidden = false;
      wait.textContent = explain(error);
    },
  });
  const clock = window.setInterval(() => {
    if (job?.state === 'running') draw();
  }, 5000);
  onLang(() => {
    draw();
    map.look(lookAt);
  });
  draw();
  return {
    element,
    job: () => job,
    revision: () => best?.revision ?? null,
    close() {
      gone = true;
      unwatch();
      window.clearTimeout(opening);
      window.clearInterval(clock);
      size.disconnect();
      watchMap(null);
      map.map.setTarget(undefined);
    },
  };
}
