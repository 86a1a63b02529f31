/** The page that compares two plans (`?plan=ID&with=ID|published`): maps, arrows, figures, table. */
import '../styles/index.css';
import '../plans/plans.css';
import '../plans/dialogs/dialogs.css';
import './compare.css';
import { isAbort } from '../core/client';
import { h, icon, keepFocus, renew } from '../core/dom';
import { number } from '../core/format';
import { lang, onLang, t } from '../i18n';
import { exposePlans, watchMap } from '../plans/handle';
import { plansService } from '../plans/service';
import type { Move, Plan } from '../plans/types';
import { areaOf, moment, nameOfPlan } from '../plans/wording';
import { createFrame } from '../ui/frame';
import { choices } from '../ui/parts';
import { explain, report } from '../ui/toasts';
import { keyOf } from './arrows';
import { createMaps, type Tint, type Way } from './maps';
import { figuresTable, movesTable, summaryOf } from './panel';
import { type Compared, IN_FORCE, readCompared } from './reading';

/** How the service writes the system of comprehensive grids. */
const COMPREHENSIVE = '综合';
const ARROWS = 30;
const ARROWS_MOST = 200;

interface Address {
  plan: number | null;
  other: string;
  way: Way;
  tint: Tint;
}

function readAddress(): Address {
  const asked = new URLSearchParams(window.location.search);
  const plan = asked.get('plan') ?? '';
  const other = asked.get('with') ?? IN_FORCE;
  return {
    plan: /^\d{1,9}$/.test(plan) ? Number(plan) : null,
    other: /^\d{1,9}$/.test(other) ? other : IN_FORCE,
    way: asked.get('view') === 'swipe' ? 'swipe' : 'side',
    tint: asked.get('colour') === 'band' ? 'band' : 'same',
  };
}

async function start(root: HTMLElement): Promise<void> {
  const frame = await createFrame(root, 'plans', 'compare.title');
  const at = readAddress();
  let plans: readonly Plan[] = [];
  let compared: Compared | null = null;
  let failure: unknown = null;
  let running: AbortController | null = null;
  let chosen: string | null = null;
  let count = ARROWS;
  let tab: 'figures' | 'moves' = 'figures';

  const maps = createMaps((key) => {
    chosen = key;
    if (key) tab = 'moves';
    draw();
    if (key)
      document.querySelector(`tr[data-key="${CSS.escape(key)}"]`)?.scrollIntoView({ block: 'nearest' });
  });
  const table = movesTable(choose, () => `moves-${at.other}-${at.plan ?? ''}.csv`);

  const bar = h('div', { class: 'compare-bar' });
  const state = h('div', { class: 'compare-state', role: 'status' });
  const legend = h('ul', { class: 'compare-legend card' });
  const stage = h('div', { class: 'compare-stage' }, maps.element, legend, state);
  const tabs = h('div', { class: 'compare-tabs', role: 'tablist' });
  const figures = h('div', {
    class: 'compare-tab',
    role: 'tabpanel',
    tabindex: '0',
    id: 'panel-figures',
    'aria-labelledby': 'tab-figures',
  });
  const moves = h(
    'div',
    { class: 'compare-tab', role: 'tabpanel', id: 'panel-moves', 'aria-labelledby': 'tab-moves' },
    table.element,
  );
  const printHead = h('div', { class: 'print-head' });
  const panel = h('aside', { class: 'compare-panel' }, tabs, figures, moves);
  renew(frame.main, printHead, h('div', { class: 'compare-page' }, bar, stage, panel));

  const nameOf = (plan: Plan | null): string => (plan ? nameOfPlan(plan) : t('compare.inForce'));

  function choose(move: Move | null): void {
    chosen = move ? keyOf(move) : null;
    draw();
    if (move) maps.goTo(move);
    else maps.fit();
  }

  function keepAddress(): void {
    const url = new URL(window.location.href);
    url.search = '';
    if (at.plan !== null) url.searchParams.set('plan', String(at.plan));
    url.searchParams.set('with', at.other);
    if (at.way === 'swipe') url.searchParams.set('view', 'swipe');
    if (at.tint === 'band') url.searchParams.set('colour', 'band');
    window.history.replaceState(null, '', url);
  }

  /** The plans one may choose from: those of the place of the other side first. */
  function picker(side: 'before' | 'after'): HTMLElement {
    const select = h('select', { id: `compare-${side}`, class: 'field' });
    const named = (plan: Plan): HTMLElement =>
      h('option', {
        value: plan.id,
        text: `${nameOfPlan(plan)} · ${areaOf(plan)}${plan.status === 'published' ? ` · ${t('plans.state.published')}` : ''}`,
      });
    if (side === 'before') select.append(h('option', { value: IN_FORCE, text: t('compare.inForce') }));
    select.append(...plans.map(named));
    select.value = side === 'before' ? at.other : String(at.plan ?? '');
    select.addEventListener('change', () => {
      if (side === 'before') at.other = select.value;
      else at.plan = Number(select.value);
      void read();
    });
    return h(
      'div',
      { class: 'compare-pick' },
      h('label', { for: select.id, class: 'field-label', text: t(`compare.${side}`) }),
      select,
    );
  }

  function drawBar(): void {
    const total = compared?.found.moves.filter(({ from, to }) => from && to).length ?? 0;
    const most = Math.min(total, ARROWS_MOST);
    const slider = h('input', {
      type: 'range',
      id: 'compare-arrows',
      min: '0',
      max: String(most),
      step: '1',
    });
    slider.value = String(Math.min(count, most));
    slider.disabled = total === 0;
    const said = h('output', { for: 'compare-arrows', class: 'amount' });
    const say = (): void => {
      const text = t('compare.arrowsOf', { count: number(Number(slider.value)), total: number(total) });
      said.textContent = `${slider.value} / ${number(total)}`;
      slider.setAttribute('aria-valuetext', text);
    };
    slider.addEventListener('input', () => {
      count = Number(slider.value);
      say();
      drawArrows();
    });
    say();
    const swap = h('button', {
      type: 'button',
      id: 'compare-swap',
      class: 'button button-plain compare-swap',
      'aria-label': t('compare.swap'),
      title: t('compare.swap'),
      text: '⇄',
      on: {
        click: () => {
          const other = at.other;
          at.other = String(at.plan);
          at.plan = Number(other);
          void read();
        },
      },
    });
    // nothing can be compared with a plan by the grids in force: a plan is what changes them
    swap.disabled = at.other === IN_FORCE || at.plan === null;
    keepFocus(bar, () =>
      renew(
        bar,
        picker('before'),
        swap,
        picker('after'),
        choices(
          'compare-way',
          t('compare.view'),
          [
            { value: 'side', label: t('compare.view.side') },
            { value: 'swipe', label: t('compare.view.swipe') },
          ],
          at.way,
          (way: Way) => {
            at.way = way;
            keepAddress();
            maps.way(way);
          },
        ),
        choices(
          'compare-colour',
          t('compare.colour'),
          [
            { value: 'same', label: t('compare.colour.same') },
            { value: 'band', label: t('compare.colour.band') },
          ],
          at.tint,
          (tint: Tint) => {
            at.tint = tint;
            keepAddress();
            maps.tint(tint);
          },
        ),
        h(
          'div',
          { class: 'compare-arrows' },
          h('label', { for: 'compare-arrows', text: t('compare.arrows') }),
          slider,
          said,
        ),
        h('span', { class: 'grow' }),
        h('button', {
          type: 'button',
          id: 'compare-fit',
          class: 'button button-plain',
          text: t('compare.fit'),
          on: { click: () => maps.fit() },
        }),
        h('button', {
          type: 'button',
          id: 'compare-print',
          class: 'button button-plain',
          text: t('compare.print'),
          on: { click: () => window.print() },
        }),
      ),
    );
  }

  function drawTabs(): void {
    const one = (name: 'figures' | 'moves'): HTMLElement => {
      const here = tab === name;
      const told = name === 'moves' && compared ? ` ${number(compared.found.moves.length)}` : '';
      return h('button', {
        type: 'button',
        role: 'tab',
        id: `tab-${name}`,
        class: 'compare-tab-button',
        'aria-selected': String(here),
        'aria-controls': `panel-${name}`,
        tabindex: here ? '0' : '-1',
        text: t(`compare.tab.${name}`) + told,
        on: {
          click: () => turnTo(name),
          keydown: (event) => {
            if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
            event.preventDefault();
            turnTo(name === 'moves' ? 'figures' : 'moves');
          },
        },
      });
    };
    tabs.setAttribute('aria-label', t('compare.tabs'));
    keepFocus(tabs, () => renew(tabs, one('figures'), one('moves')));
    figures.classList.toggle('is-away', tab !== 'figures');
    moves.classList.toggle('is-away', tab !== 'moves');
  }

  function turnTo(name: 'figures' | 'moves'): void {
    tab = name;
    drawTabs();
    document.getElementById(`tab-${name}`)?.focus();
  }

  function drawArrows(): void {
    maps.arrows(compared?.found.moves ?? [], count, chosen);
  }

  function drawLegend(): void {
    const item = (kind: string, text: string): HTMLElement =>
      h('li', {}, h('span', { class: `key key-${kind}`, 'aria-hidden': 'true' }), h('span', { text }));
    renew(
      legend,
      item('same', t('compare.legend.same')),
      item('born', t('compare.legend.born')),
      item('gone', t('compare.legend.gone')),
      item('arrow', t('compare.legend.arrow')),
    );
    legend.hidden = compared === null;
  }

  function drawState(): void {
    state.hidden = compared !== null && running === null;
    panel.hidden = compared === null;
    if (running) {
      renew(state, h('div', { class: 'spinner' }), h('p', { text: t('compare.loading') }));
      return;
    }
    if (failure !== null) {
      renew(
        state,
        icon('warn'),
        h('h2', { text: t('compare.failed') }),
        h('p', { text: explain(failure) }),
        h('a', { class: 'button', href: './plans', text: t('compare.toPlans') }),
      );
    } else if (at.plan === null) {
      renew(
        state,
        h('h2', { text: t(plans.length > 0 ? 'compare.choose' : 'compare.none') }),
        plans.length === 0 && h('p', { text: t('compare.noneText') }),
        h('a', { class: 'button', href: './plans', text: t('compare.toPlans') }),
      );
    }
  }

  function draw(): void {
    drawBar();
    drawTabs();
    drawLegend();
    drawState();
    maps.say();
    if (!compared) return;
    const { plan, other, found } = compared;
    maps.names(nameOf(other), nameOf(plan));
    renew(figures, summaryOf(found), figuresTable(found, nameOf(other), nameOf(plan)));
    table.show(found.moves, chosen);
    drawArrows();
    renew(
      printHead,
      h('h1', { text: t('compare.printTitle') }),
      h('p', {
        text: `${t('compare.before')}: ${nameOf(other)}　${t('compare.after')}: ${nameOf(plan)}　${areaOf(plan)}　${t('compare.printedAt', { when: moment(new Date().toISOString()) })}`,
      }),
    );
    document.documentElement.lang = lang() === 'zh' ? 'zh-CN' : 'en';
  }

  async function read(): Promise<void> {
    running?.abort();
    keepAddress();
    chosen = null;
    failure = null;
    if (at.plan === null) return draw();
    const mine = new AbortController();
    running = mine;
    drawBar();
    drawState();
    try {
      const next = await readCompared(at.plan, at.other, mine.signal);
      if (mine.signal.aborted) return;
      compared = next;
      maps.show(next.before, next.after, next.found, next.plan.band);
      maps.tint(at.tint);
      panel.hidden = false;
      maps.way(at.way);
      maps.fit(false);
    } catch (error) {
      if (isAbort(error) || mine.signal.aborted) return;
      compared = null;
      failure = error;
    }
    running = null;
    draw();
  }

  watchMap(maps.map, maps.sources);
  // paper has another width than the window: the maps draw themselves for it
  for (const [event, printing] of [
    ['beforeprint', true],
    ['afterprint', false],
  ] as const) {
    window.addEventListener(event, () => {
      document.body.classList.toggle('is-printing', printing);
      maps.way(at.way);
      maps.fit(false);
      maps.draw();
    });
  }
  onLang(draw);
  draw();
  exposePlans('compare', () => ({
    ...at,
    chosen,
    tab,
    moves: compared?.found.moves ?? null,
    heirs: compared?.found.changes.heirs ?? null,
  }));
  const listed = plansService.plans().then(
    (found) => {
      plans = found.filter(({ system, stats }) => system === COMPREHENSIVE && (stats.grids ?? 1) > 0);
      if (at.plan === null && plans[0]) {
        at.plan = plans[0].id;
        void read();
      } else draw();
    },
    (error: unknown) => report(error),
  );
  await read();
  await listed;
}

const root = document.getElementById('app');
if (root) void start(root);
