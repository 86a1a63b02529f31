/** The list of plans with its filters, the jobs under way and the generations beside it. */
import { h, keepFocus, renew } from '../core/dom';
import type { AreaName } from '../core/types';
import { nameOf, onLang, t } from '../i18n';
import { choices } from '../ui/parts';
import { session } from '../ui/who';
import { type CardActions, planCard } from './card';
import { areasWithPlans, counts, type Filter, NO_FILTER, passes, type PlanState } from './filters';
import { createThumbnails } from './thumbnails';
import type { Plan } from './types';

/** Cards shown at first; more come with the button below them. */
const SHOWN = 40;
const STATES: readonly PlanState[] = ['all', 'draft', 'waiting', 'published'];

export interface PlanListHooks {
  actions: () => CardActions;
  create: () => void;
  signIn: () => void;
}

export interface PlanList {
  element: HTMLElement;
  show: (plans: readonly Plan[] | null, areas: ReadonlyMap<string, AreaName>, current: number | null) => void;
  filter: () => Filter;
}

function emptyState(
  planner: boolean,
  filtered: boolean,
  hooks: PlanListHooks,
  clear: () => void,
): HTMLElement {
  if (filtered) {
    return h(
      'div',
      { class: 'plans-empty' },
      h('h2', { text: t('plans.noneFound') }),
      h('button', {
        type: 'button',
        class: 'button button-plain',
        text: t('plans.clear'),
        on: { click: clear },
      }),
    );
  }
  const steps = planner ? (['engine', 'published', 'empty'] as const) : [];
  return h(
    'div',
    { class: 'plans-empty' },
    h('h2', { text: t(planner ? 'plans.emptyTitle' : 'plans.emptyReader') }),
    h('p', { class: 'muted', text: t(planner ? 'plans.emptyText' : 'plans.emptyReaderText') }),
    steps.length > 0 &&
      h(
        'ul',
        { class: 'plans-ways' },
        ...steps.map((way) =>
          h(
            'li',
            {},
            h('b', { text: t(`plans.from.${way}`) }),
            h('span', { text: t(`plans.from.${way}.hint`) }),
          ),
        ),
      ),
    h('button', {
      type: 'button',
      class: 'button',
      text: t(planner ? 'plans.create' : 'plans.signIn'),
      on: { click: planner ? hooks.create : hooks.signIn },
    }),
  );
}

/** The list; `show` draws it anew. */
export function createPlanList(hooks: PlanListHooks): PlanList {
  let filter: Filter = { ...NO_FILTER };
  let plans: readonly Plan[] | null = null;
  let areas: ReadonlyMap<string, AreaName> = new Map();
  let current: number | null = null;
  let most = SHOWN;
  const thumbnails = createThumbnails();

  const bar = h('div', { class: 'plans-filters' });
  const cards = h('ul', { class: 'plan-cards' });
  const foot = h('div', { class: 'plans-foot' });
  const said = h('p', { class: 'unseen', role: 'status' });
  const element = h('section', { class: 'plans-list' }, bar, said, cards, foot);

  function change(patch: Partial<Filter>): void {
    filter = { ...filter, ...patch };
    most = SHOWN;
    draw();
  }

  const words = h('input', {
    type: 'search',
    id: 'plans-words',
    class: 'field',
    autocomplete: 'off',
    on: {
      input: () => {
        filter = { ...filter, text: words.value };
        most = SHOWN;
        drawCards();
      },
    },
  });

  function drawBar(): void {
    const told = counts(plans ?? [], filter);
    const select = h('select', {
      id: 'plans-area',
      class: 'field',
      'aria-label': t('plans.area'),
      on: { change: () => change({ area: select.value }) },
    });
    select.append(h('option', { value: '', text: t('plans.everyArea') }));
    for (const area of areasWithPlans(plans ?? [], areas)) {
      const deep = area.code.length > 9 ? '　　' : area.code.length > 6 ? '　' : '';
      select.append(h('option', { value: area.code, text: deep + nameOf(area) }));
    }
    select.value = filter.area;
    words.placeholder = t('plans.words');
    words.setAttribute('aria-label', t('plans.words'));
    const options = STATES.map((value) => ({ value, label: `${t(`plans.state.${value}`)} ${told[value]}` }));
    const chosen = choices('plans-state', t('plans.state'), options, filter.state, (state) =>
      change({ state }),
    );
    keepFocus(bar, () => renew(bar, words, select, session.get().me.planner && chosen));
  }

  function drawCards(): void {
    if (!plans) {
      renew(
        cards,
        ...[1, 2, 3].map(() => h('li', { class: 'card plan-card is-loading', 'aria-hidden': 'true' })),
      );
      return;
    }
    const found = plans.filter((plan) => passes(plan, filter));
    const actions = hooks.actions();
    const context = { areas, current, actions, thumbnail: thumbnails.of };
    said.textContent = t('plans.found', { count: found.length });
    keepFocus(cards, () => renew(cards, ...found.slice(0, most).map((plan) => planCard(plan, context))));
    const rest = found.length - most;
    const { planner } = session.get().me;
    renew(
      foot,
      found.length === 0 &&
        emptyState(planner, plans.length > 0, hooks, () => {
          words.value = '';
          change({ ...NO_FILTER });
          words.focus();
        }),
      rest > 0 &&
        h('button', {
          type: 'button',
          class: 'button button-plain',
          text: t('plans.more', { count: rest }),
          on: {
            click: () => {
              most += SHOWN;
              drawCards();
            },
          },
        }),
    );
  }

  function draw(): void {
    bar.hidden = plans !== null && plans.length === 0;
    drawBar();
    drawCards();
  }
  onLang(draw);
  draw();
  return {
    element,
    filter: () => filter,
    show(next, of, force) {
      plans = next;
      areas = of;
      current = force;
      draw();
    },
  };
}
