/** The page of plans: the list with what is in force, or one run of the engine (`?job=`). */
import '../styles/index.css';
import './plans.css';
import { h, renew } from '../core/dom';
import type { AreaName, Overview } from '../core/types';
import { onLang, t } from '../i18n';
import { createFrame } from '../ui/frame';
import { openDialog } from '../ui/dialog';
import { explain, report, toast } from '../ui/toasts';
import { askWho, session } from '../ui/who';
import { type CardActions, workbenchOf } from './card';
import { openCreate } from './create/dialog';
import { duplicate, openPublish, share } from './dialogs';
import { askEdit } from './dialogs/rename';
import { createGenerations } from './generations';
import { exposePlans } from './handle';
import { createJobView, type JobView } from './job/view';
import { createPlanList } from './list';
import { createRunning } from './running';
import { type Made, plansService } from './service';
import type { Generation, Plan, PlanJob } from './types';
import { areaOf, nameOfPlan } from './wording';

const LOOK_MS = 3000;

async function start(root: HTMLElement): Promise<void> {
  const frame = await createFrame(root, 'plans', 'plans.title');
  let plans: Plan[] | null = null;
  let generations: Generation[] | null = null;
  let jobs: PlanJob[] = [];
  let overview: Overview | null = null;
  let areas: ReadonlyMap<string, AreaName> = new Map();
  let view: JobView | null = null;
  let timer: number | undefined;

  const current = (): number | null => generations?.find(({ is_current }) => is_current)?.id ?? null;
  const nameOfJob = (job: PlanJob): string => {
    const named = job.params?.name?.trim();
    if (named) return named;
    const area = areas.get(String(job.params?.area ?? ''));
    return area
      ? t('plans.job.of', {
          area: areaOf({ area: area.code, area_name: area.name, area_name_en: area.name_en }),
        })
      : t('plans.job.number', { id: job.id });
  };

  const create = h('button', {
    type: 'button',
    id: 'plans-create',
    class: 'button',
    on: { click: () => void openNew() },
  });
  const running = createRunning((job) => go(job.id), nameOfJob);
  const past = createGenerations(() => void read());
  const list = createPlanList({ actions, create: () => void openNew(), signIn: () => void signIn() });
  const readOnly = h('p', { class: 'plans-notice' });
  const home = h(
    'div',
    { class: 'plans-page' },
    h('div', { class: 'plans-main' }, readOnly, running.element, list.element),
    past.element,
  );

  async function signIn(): Promise<void> {
    if (await askWho()) await read();
  }

  function actions(): CardActions {
    if (!session.get().me.planner) return { share };
    return {
      share,
      publish: (plan) => openPublish(plan, () => void read()),
      duplicate: (plan) => void duplicate(plan).then((made) => (made ? read() : undefined)),
      rename: (plan) => void askEdit(plan).then((done) => (done ? read() : undefined)),
      remove: askRemove,
    };
  }

  function askRemove(plan: Plan): void {
    const dialog = openDialog(t('plans.removeTitle', { name: nameOfPlan(plan) }), 'dialog-small');
    const fault = h('p', { class: 'fault', role: 'alert' });
    const keep = h('button', {
      type: 'button',
      class: 'button button-plain',
      text: t('plans.removeNot'),
      on: { click: dialog.close },
    });
    const go_ = h('button', { type: 'button', class: 'button button-danger', text: t('plans.do.remove') });
    go_.addEventListener('click', () => {
      go_.disabled = true;
      plansService.remove(plan).then(
        () => {
          dialog.close();
          toast(t('plans.removed', { name: nameOfPlan(plan) }), 'done');
          void read();
        },
        (error: unknown) => {
          fault.textContent = explain(error);
          go_.disabled = false;
        },
      );
    });
    dialog.body.append(h('p', { text: t('plans.removeText') }), fault);
    dialog.foot.append(keep, go_);
    keep.focus();
  }

  async function openNew(area?: string): Promise<void> {
    if (!session.get().me.planner && !(await askWho())) return;
    if (!overview) return;
    openCreate(overview, plans ?? [], area ? { area } : {}, (made: Made) => {
      if ('job' in made) go(made.job.id);
      else window.location.assign(workbenchOf(made.plan.id));
    });
  }

  /** Show a run, or the list. */
  function go(job: number | null, push = true): void {
    view?.close();
    view = null;
    if (push) window.history.pushState(null, '', job === null ? './plans' : `./plans?job=${job}`);
    if (job !== null && overview) {
      view = createJobView(job, {
        overview,
        nameOf: nameOfJob,
        back: () => go(null),
        open: (address) => window.location.assign(address),
      });
      renew(frame.main, view.element);
      view.element.querySelector<HTMLElement>('#job-back')?.focus();
      return;
    }
    renew(frame.main, home);
    void read();
  }

  function say(): void {
    create.textContent = t('plans.create');
    const { planner, open, keys } = session.get().me;
    create.hidden = !planner && !open && !keys;
    readOnly.hidden = planner;
    readOnly.textContent = t('plans.readOnly');
    list.show(plans, areas, current());
    running.show(jobs);
  }

  /** Read everything the list shows; what cannot be read stays as it was. */
  async function read(): Promise<void> {
    window.clearTimeout(timer);
    const { planner } = session.get().me;
    const [first, second, third] = await Promise.allSettled([
      plansService.plans(),
      plansService.generations(),
      planner ? plansService.jobs('queued,running') : Promise.resolve([]),
    ]);
    if (first.status === 'fulfilled') plans = first.value;
    if (second.status === 'fulfilled') generations = second.value;
    const before = jobs.length;
    if (third.status === 'fulfilled') jobs = third.value;
    const failed = [first, second, third].find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') report(failed.reason);
    past.show(generations, areas);
    say();
    if (before > jobs.length && view === null) return void read();
    if (jobs.length > 0 && view === null) timer = window.setTimeout(() => void look(), LOOK_MS);
  }

  /** While something runs: how far it is; once it ended, everything anew. */
  async function look(): Promise<void> {
    if (view) return;
    try {
      const now = await plansService.jobs('queued,running');
      const over = now.length < jobs.length;
      jobs = now;
      running.show(jobs);
      if (over) return void read();
    } catch {
      // the next look tells
    }
    if (jobs.length > 0) timer = window.setTimeout(() => void look(), LOOK_MS);
  }

  frame.tools.append(h('span', { class: 'grow' }), create);
  onLang(say);
  session.on(['me'], say);
  window.addEventListener('popstate', () => go(jobInAddress(), false));
  window.addEventListener('pageshow', (event) => event.persisted && view === null && void read());
  renew(frame.main, home);
  say();
  exposePlans('plans', () => ({
    plans: plans?.map(({ id }) => id) ?? null,
    jobs: jobs.map(({ id }) => id),
    filter: list.filter(),
    job: view?.job() ?? null,
    revision: view?.revision() ?? null,
  }));

  try {
    overview = await plansService.overview();
    areas = new Map(overview.areas.map((area) => [area.code, area]));
  } catch (error) {
    report(error);
  }
  const asked = new URLSearchParams(window.location.search);
  go(jobInAddress(), false);
  if (asked.has('new')) {
    await read();
    void openNew(asked.get('area') ?? undefined);
  }
}

function jobInAddress(): number | null {
  const text = new URLSearchParams(window.location.search).get('job') ?? '';
  return /^\d{1,9}$/.test(text) ? Number(text) : null;
}

const root = document.getElementById('app');
if (root) void start(root);
