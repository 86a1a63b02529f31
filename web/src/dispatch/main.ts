import '../styles/index.css';
import '../styles/dispatch.css';
import { type App, createState, readCatalog } from '../core/app';
import { busy } from '../core/client';
import { h, icon, renew } from '../core/dom';
import type { Bbox } from '../core/types';
import { exposeHandle } from '../handle';
import { lang, onLang, t } from '../i18n';
import { addBasemap } from '../map/basemap';
import { createMap } from '../map/create';
import { createFrame } from '../ui/frame';
import { showFailure } from '../ui/shell';
import { explain, report, toast } from '../ui/toasts';
import { createTools } from '../ui/tools';
import { openDialog } from '../ui/dialog';
import { may } from '../ui/session';
import { askWho, session } from '../ui/who';
import { locating } from './locating';
import { addDispatchMap } from './map';
import { queueing } from './queueing';
import { slipOf } from './slip';
import { createDispatchState, type DispatchStore } from './state';
import { createDetail } from './ui/detail';
import { listenKeys, showKeys } from './ui/keys';
import { createLegend } from './ui/legend';
import { createLocateBox } from './ui/locateBox';
import { createQueueList } from './ui/queueList';
import { createResult } from './ui/result';
import { askNewReport } from './ui/newReport';
import { working } from './working';

declare global {
  interface Window {
    /** State of the dispatch page, for tests and the curious. */
    gisgridDispatch?: DispatchStore['get'];
  }
}

/** Shown while the service holds no area at all. */
const NOWHERE: Bbox = [104, 30, 122, 40];

/** What stands over the page for readers who may not edit. */
function readOnlyHint(): HTMLElement {
  const element = h('div', { class: 'read-only', role: 'note' });
  const draw = (): void => {
    element.hidden = may('dispatch');
    const stranger = session.get().who.kind === 'nobody';
    renew(
      element,
      icon('warn'),
      h('span', { text: t(stranger ? 'dispatch.readOnly' : 'dispatch.readOnlyRole') }),
      stranger
        ? h('button', {
            type: 'button',
            class: 'text-button',
            text: t('dispatch.signIn'),
            on: { click: () => void askWho() },
          })
        : null,
    );
  };
  session.on(['me'], draw);
  onLang(draw);
  draw();
  return element;
}

/** Copy a text; where the browser does not allow it, show it to be copied by hand. */
async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(t('dispatch.copied'), 'done');
  } catch {
    const dialog = openDialog(t('dispatch.slip'), 'dialog-small');
    const box = h('textarea', {
      class: 'field slip',
      rows: '12',
      readonly: true,
      'aria-label': t('dispatch.slip'),
    });
    box.value = text;
    dialog.body.append(h('p', { text: t('dispatch.copyFailed') }), box);
    box.select();
  }
}

function start(main: HTMLElement, app: App): void {
  const store = createDispatchState();
  const map = h('div', { id: 'map', class: 'map', tabindex: '0', role: 'application' });
  const tools = h('div', { class: 'tools' });
  const prompt = h('p', { class: 'map-prompt card', role: 'status', hidden: true });
  const left = h('div', { class: 'left' });
  const result = h('section', { class: 'result' });
  const middle = h('div', { class: 'middle' });
  const right = h('div', { class: 'right' });
  renew(main, readOnlyHint(), h('div', { class: 'dispatch' }, left, middle, right));
  renew(middle, map, h('div', { id: 'scale', class: 'scale' }), tools, prompt, createLegend());

  const parts = createMap(map, app.catalog.overview.bounds ?? NOWHERE, () => [36, 60, 44, 36]);
  addBasemap(parts.map, app, report);
  const drawn = addDispatchMap(parts, map, app, store, {
    place: (point) => {
      box.clear();
      void places.ask({ kind: 'point', lon: point[0], lat: point[1], crs: 'wgs84', accuracy: null });
    },
    grid: (code) => store.set({ target: code }),
    report: (id) => void openReport(id),
  });
  createTools(tools, parts.map, () => parts.home());

  const places = locating(app, store, drawn.grids);
  const queue = queueing(
    store,
    report,
    (rows) => toast(t('dispatch.newCame', { count: rows.length }), 'done'),
    () => void work.refresh(),
  );
  const work = working(app, store, places, queue);

  const locateNow = async (asked: Parameters<typeof places.ask>[0]): Promise<void> => {
    await places.ask(asked);
    drawn.showPlace();
  };
  const box = createLocateBox((asked) => void locateNow(asked));
  const slip = (): void => {
    const { place, choices, opened } = store.get();
    const about = place?.report === opened?.report.id ? (opened?.report ?? null) : null;
    if (place?.answer) void copy(slipOf(app, place, choices, about));
  };
  const create = (): void => {
    const { place } = store.get();
    if (place && may('report')) void askNewReport(app, place, work.create);
  };
  createResult(result, app, store, {
    choose: (code) => store.set({ target: code }),
    copy: slip,
    create,
    address: (text) => void locateNow({ kind: 'address', text }),
    system: (crs) => {
      const asked = store.get().place?.asked;
      if (asked?.kind === 'point') void locateNow({ ...asked, crs });
    },
  });
  renew(left, box.element, result);

  async function openReport(id: number): Promise<void> {
    box.clear();
    await work.open(id);
    if (store.get().open !== id) return;
    drawn.showPlace();
    detail.focus();
  }
  const step = (by: 1 | -1): void => {
    const { rows, active, open } = store.get();
    const at = open === null ? active : rows.findIndex((row) => row.id === open);
    const next = rows[at + by];
    if (!next) return;
    store.set({ active: at + by });
    if (open !== null) void openReport(next.id);
  };
  const back = (): void => {
    work.close();
    list.focus();
  };
  const move = (on: boolean): void => {
    const { opened } = store.get();
    if (!opened || !may('dispatch')) return;
    store.set({ moving: on });
    detail.focus();
  };
  const list = createQueueList(app, store, {
    open: (id) => void openReport(id),
    filter: (filters) => {
      store.set({ filters });
      void queue.reload();
    },
    reach: (row) => void queue.reach(row),
  });
  const detail = createDetail(app, store, {
    back,
    step,
    show: () => drawn.showPlace(),
    move,
    reassign: async (grid, reason, stage) => {
      const done = await work.reassign(grid, reason, stage);
      if (done && store.get().opened && document.activeElement === document.body) detail.focus();
      return done;
    },
    bring: work.bring,
  });
  renew(right, list.element, detail.element);
  store.on(['open'], ({ open }) => {
    list.element.hidden = open !== null;
  });

  const say = (): void => {
    map.setAttribute('aria-label', t('dispatch.mapLabel'));
    prompt.textContent = t('dispatch.clickMap');
  };
  say();
  onLang(say);
  onLang(() => app.store.set({ lang: lang() }));
  store.on(['target'], () => drawn.showTarget());
  store.on(['moving'], ({ moving }) => {
    prompt.hidden = !moving;
    map.classList.toggle('is-choosing', moving);
  });

  listenKeys(
    {
      '/': box.focus,
      '?': showKeys,
      j: () => step(1),
      k: () => step(-1),
      r: () => move(true),
      s: () => main.querySelector<HTMLButtonElement>('#detail-next')?.click(),
      q: () => (store.get().open === null ? list.focus() : back()),
      c: slip,
      n: create,
    },
    (number) => {
      const choice = store.get().choices[number - 1];
      if (choice) store.set({ target: choice.code });
    },
    () => {
      if (store.get().moving) move(false);
      else if (store.get().open !== null) back();
      else if (store.get().place) places.clear();
    },
  );

  store.on(['place'], ({ place }) => {
    const generation = place?.answer?.generation;
    if (generation && generation !== app.catalog.overview.generation?.id) {
      toast(t('status.newer', { id: generation }), 'done');
    }
  });
  parts.home(false);
  const begin = (): void => {
    if (!may('dispatch')) return;
    stop();
    void queue.reload().then(queue.start);
  };
  const stop = session.on(['me'], begin);
  begin();
  exposeHandle(parts.map, app.store, busy, {
    grids: drawn.grids,
    marked: drawn.marked,
    accuracy: drawn.accuracy,
    reports: drawn.reports,
  });
  window.gisgridDispatch = store.get;
}

async function open(): Promise<void> {
  const root = document.getElementById('app');
  if (!root) return;
  const frame = await createFrame(root, 'dispatch', 'dispatch.title');
  const keys = h('button', { type: 'button', class: 'keys-button', on: { click: showKeys } });
  const say = (): void => renew(keys, h('kbd', { text: '?', 'aria-hidden': 'true' }), t('dispatch.keys'));
  say();
  onLang(say);
  frame.tools.append(keys);
  try {
    const catalog = await readCatalog(report);
    start(frame.main, { store: createState(lang()), catalog });
  } catch (error) {
    showFailure(frame.main, explain(error));
    throw error;
  }
}

void open();
