import '../styles/index.css';
import './workbench.css';
import { address, ask, busy, getJson, sendJson, ServiceError } from '../core/client';
import { h, iconButton, renew } from '../core/dom';
import { authorName } from '../core/who';
import { lang, onLang, t } from '../i18n';
import { commentsPanel, duplicate, openPublish, share } from '../plans/dialogs';
import type { Plan } from '../plans/types';
import { createFrame } from '../ui/frame';
import { explain, report, toast } from '../ui/toasts';
import { askWho, session } from '../ui/who';
import { addMeasure, type Measure } from '../map/measure';
import { createMeasureBox } from '../ui/measureBox';
import { createBench } from './bench';
import { addSearch } from './finding';
import { exposeWorkbench } from './handle';
import {
  type AssignmentAnswer,
  createPlanModel,
  createSync,
  decodeTopology,
  openStore,
  planServer,
} from './model';
import { createOverlays } from './overlays';
import { createConflicts } from './panels/conflicts';
import { createGridPanel } from './panels/gridPanel';
import { createHistory } from './panels/history';
import { openKeys } from './panels/keysDialog';
import { createLook } from './panels/look';
import { createNow } from './panels/now';
import { createPlanBar } from './panels/planBar';
import { createProblems } from './panels/problems';
import { createProposals } from './panels/proposal';
import { createSide } from './panels/side';
import { createSummary } from './panels/summary';
import { createToolbar } from './panels/toolbar';
import { printPlan } from './printing';
import { allTools } from './tools/all';
import { addKeyboard } from './tools/keyboard';
import { addPointer } from './tools/pointer';
import { type Bench, HARMLESS, type Tool } from './tools/types';
import { createUnitCursor } from './tools/unitCursor';

interface Counts {
  components: number[];
  reports_per_month: number[];
}

interface Opened {
  plan: Plan;
  bench: Bench;
  start: () => void;
}

const asked = new URL(document.location.href).searchParams;

async function read(id: number): Promise<{
  plan: Plan;
  answer: AssignmentAnswer;
  topology: ArrayBuffer;
  counts: Counts;
}> {
  const [plan, answer] = await Promise.all([
    getJson<Plan>(address(`plans/${id}`)),
    getJson<AssignmentAnswer>(address(`plans/${id}/assignment`)),
  ]);
  const set = `unit-sets/${answer.unit_set}`;
  const [topology, counts] = await Promise.all([
    ask(address(`${set}/topology`)).then((response) => response.arrayBuffer()),
    getJson<Counts>(address(`${set}/counts`)),
  ]);
  return { plan, answer, topology, counts };
}

/** The card with comments, over the map. */
function createComments(bench: Bench, plan: Plan): { element: HTMLElement; toggle: () => void } {
  const body = h('div', { class: 'comments-body' });
  const element = h('section', { class: 'comments-card over-map', hidden: true });
  let made: ReturnType<typeof commentsPanel> | null = null;
  const draw = (): void => {
    element.setAttribute('aria-label', t('workbench.comments'));
    renew(
      element,
      h(
        'header',
        { class: 'conflicts-head' },
        h('h2', { text: t('workbench.comments') }),
        iconButton('close', t('frame.close'), () => {
          element.hidden = true;
        }),
      ),
      body,
    );
  };
  draw();
  onLang(draw);
  return {
    element,
    toggle() {
      element.hidden = !element.hidden;
      if (element.hidden) return;
      made ??= commentsPanel(body, plan.id, {
        onPlace: ([lon, lat]) => {
          const x = (lon * Math.PI * 6378137) / 180;
          const y = Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) * 6378137;
          bench.map.getView().animate({ center: [x, y], zoom: 17, duration: 200 });
        },
        onGrid: (code) => {
          const grid = bench.model.gridByCode(code);
          bench.ui.set({ current: grid });
          bench.showGrid(grid);
        },
      });
      const { current } = bench.ui.get();
      const code = bench.model.grids[current]?.code;
      if (code && !code.startsWith('new:')) made.about({ grid: code });
    },
  };
}

function addTools(
  bench: Bench,
  measure: Measure,
  host: HTMLElement,
  home: () => void,
  proposals: { leave: () => boolean },
): void {
  const { ui, canvas, scene, map } = bench;
  const tools = allTools(bench);
  const tool = (): Tool => tools[ui.get().tool];
  const cursor = createUnitCursor(bench, host, tool);
  const overlays = createOverlays(bench);
  canvas.overlays.push(
    overlays.current,
    overlays.hovered,
    overlays.flashed,
    overlays.conflicts,
    (context, resolution) => tool().overlay?.(context, resolution),
    cursor.overlay,
  );
  addPointer({
    map,
    host,
    scene,
    tool,
    resting: () => measure.state.get().kind !== null,
    seen(at) {
      const hovered = at?.unit ?? -1;
      if (hovered === ui.get().hovered) return;
      ui.set({ hovered });
      canvas.redraw();
    },
  });
  let before = ui.get().tool;
  ui.on(['tool'], ({ tool: now }) => {
    tools[before].cancel?.();
    before = now;
    host.style.cursor = tools[now].cursor;
    canvas.redraw();
  });
  host.style.cursor = tool().cursor;
  addKeyboard({
    bench,
    host,
    cursor,
    resting: () => measure.state.get().kind !== null,
    escape: () => tool().cancel?.() === true || proposals.leave(),
    help: openKeys,
    home,
  });
  bench.sync.onOthers((edit) => {
    // one's own lock or name, told back by the service, is no news
    if (edit.units.length === 0 && edit.author === authorName()) return;
    const names = edit.grids.slice(0, 3).map((grid) => bench.longName(grid));
    overlays.flash(edit.units);
    bench.hint(
      t('workbench.others', {
        name: edit.author || t('workbench.someone'),
        grids: names.join(lang() === 'zh' ? '、' : ', '),
        units: edit.units.length,
      }),
    );
  });
}

async function open(main: HTMLElement, tools: HTMLElement, id: number): Promise<Opened> {
  const { plan, answer, topology, counts } = await read(id);
  const model = createPlanModel(decodeTopology(topology), answer, counts);
  const sync = createSync(model, planServer(id), { store: await openStore() });
  const mayEdit = (): boolean => plan.status === 'draft' && session.get().me.planner;

  const host = h('div', { class: 'work-map', tabindex: '0', role: 'application' });
  const live = h('p', { class: 'unseen', 'aria-live': 'polite', id: 'live' });
  const stage = h('div', { class: 'work-stage' }, host);
  renew(main, h('div', { class: 'work' }, stage, live));
  const { bench, home, ground } = createBench(model, sync, host, live);
  const measure = addMeasure(bench.map, host);
  createMeasureBox(stage, measure, () => host.focus({ preventScroll: true }));
  const proposals = createProposals(bench);
  const conflicts = createConflicts(bench);
  const comments = createComments(bench, plan);
  const problems = createProblems(bench, (problem) => void proposals.ask(problem));
  const { bar, hint } = createToolbar(bench, mayEdit);
  const side = createSide(bench, {
    now: createNow(bench),
    summary: createSummary(bench),
    panels: {
      grids: createGridPanel(bench),
      problems: problems.element,
      history: createHistory(bench),
      look: createLook(bench),
    },
    onCount: problems.onCount,
  });
  const planBar = createPlanBar(bench, plan, mayEdit, {
    async rename(name) {
      try {
        await sendJson('PATCH', address(`plans/${id}`), { name }, sync.state.version);
        toast(t('workbench.renamed'), 'done');
      } catch (error) {
        report(error);
        throw error;
      }
    },
    compare: () => {
      const url = new URL('compare', document.baseURI);
      url.searchParams.set('plan', String(id));
      url.searchParams.set('with', 'published');
      document.location.assign(url);
    },
    comments: comments.toggle,
    share: () => share(plan),
    print: () => void printPlan(bench, plan),
    duplicate: () =>
      void duplicate(plan).then((made) => {
        if (made) document.location.assign(new URL(`workbench?plan=${made.id}`, document.baseURI));
      }, report),
    publish: () => void sync.save().then(() => openPublish(plan, () => document.location.reload())),
    measure: () => {
      if (measure.state.get().kind === null) measure.start('length');
      else measure.stop();
      host.focus({ preventScroll: true });
    },
    keys: openKeys,
    conflicts: conflicts.open,
  });
  const work = main.querySelector('.work')!;
  work.prepend(planBar);
  work.append(side);
  stage.append(bar, hint, proposals.element, conflicts.element, comments.element);
  if (!mayEdit()) bench.ui.set({ tool: 'hand' });
  addTools(bench, measure, host, home, proposals);
  addSearch(bench, tools);
  bench.canvas.overlays.push(proposals.overlay);
  const sayMap = (): void => host.setAttribute('aria-label', t('workbench.map'));
  sayMap();
  onLang(() => {
    sayMap();
    bench.canvas.relabel();
  });
  const start = (): void => {
    bench.map.updateSize();
    home(false);
    ground.refresh();
    exposeWorkbench(bench, busy);
    const code = asked.get('grid');
    const grid = code ? model.gridByCode(code) : -1;
    if (grid >= 0) {
      bench.ui.set({ current: grid });
      bench.showGrid(grid);
    }
    void sync.start().catch(report);
  };
  return { plan, bench, start };
}

function showProblem(main: HTMLElement, title: string, text: string, signIn: boolean): void {
  renew(
    main,
    h(
      'div',
      { class: 'opening', role: 'alert' },
      h('h1', { text: title }),
      h('p', { text }),
      signIn &&
        h('button', {
          type: 'button',
          class: 'button',
          text: t('signIn.title'),
          on: { click: () => void askWho().then((may) => may && document.location.reload()) },
        }),
      h('a', { class: 'text-button', href: './plans', text: t('workbench.toPlans') }),
    ),
  );
  document.body.setAttribute('data-ready', 'failed');
}

async function begin(root: HTMLElement): Promise<void> {
  const { main, tools } = await createFrame(root, 'plans', 'workbench.title');
  const id = Number(asked.get('plan'));
  if (!Number.isInteger(id) || id <= 0) {
    showProblem(main, t('workbench.title'), t('workbench.noPlan'), false);
    return;
  }
  renew(
    main,
    h(
      'div',
      { class: 'opening', role: 'status' },
      h('span', { class: 'spinner' }),
      h('p', { text: t('workbench.opening') }),
    ),
  );
  try {
    const opened = await open(main, tools, id);
    document.title = `${opened.plan.name} · ${document.title}`;
    // someone who signs in or out sees what may be done
    session.on(['me'], () => {
      const may = opened.plan.status === 'draft' && session.get().me.planner;
      if (!may && !HARMLESS.has(opened.bench.ui.get().tool)) opened.bench.ui.set({ tool: 'hand' });
    });
    opened.start();
  } catch (error) {
    const hidden = error instanceof ServiceError && error.status === 404 && !session.get().me.planner;
    showProblem(main, t('workbench.failed'), explain(error), hidden);
  }
}

const root = document.getElementById('app');
if (root) void begin(root);
