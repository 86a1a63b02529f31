/** The queue on the right: filters, and a list of which only the rows in sight exist. */

import type { App } from '../../core/app';
import { h, icon, iconButton, keepFocus, renew } from '../../core/dom';
import { number } from '../../core/format';
import { nameOf, onLang, t } from '../../i18n';
import { STAGE_COLORS } from '../mapStyles';
import { type DispatchStore, type Filters, NO_FILTERS } from '../state';
import { may, session } from '../../ui/session';
import { CLOSED, type Queued, STAGES } from '../types';
import { scrollFor, windowOf } from '../windowed';
import { communityOf, shortName, stageName, when, word } from '../words';

const MAJORS = ['市容环境', '宣传广告', '施工管理', '街面秩序', '突发事件', '扩展'] as const;
const TYPING_MS = 250;
/** Height of a row in pixels, as the style sheet has it. */
export const ROW = 76;

export interface QueueActions {
  open(id: number): void;
  filter(filters: Filters): void;
  reach(row: number): void;
}

export interface QueueList {
  element: HTMLElement;
  focus(): void;
}

export function createQueueList(app: App, store: DispatchStore, actions: QueueActions): QueueList {
  const list = h('div', {
    id: 'queue',
    class: 'queue-list',
    role: 'listbox',
    tabindex: '0',
    'aria-keyshortcuts': 'Q',
  });
  const space = h('div', { class: 'queue-space', role: 'presentation' });
  list.append(space);
  const none = h('p', { class: 'queue-none' });
  const heading = h('h2', { class: 'panel-title' });
  const head = h('div', { class: 'queue-head' });
  const element = h('section', { class: 'queue' }, heading, head, list, none);

  function change(patch: Partial<Filters>): void {
    actions.filter({ ...store.get().filters, ...patch });
  }

  // --- filters ---
  function select(
    id: string,
    label: string,
    options: readonly (readonly [string, string])[],
    value: string,
    take: (value: string) => void,
  ): HTMLElement {
    const box = h(
      'select',
      { id, class: 'field', 'aria-label': label, on: { change: () => take(box.value) } },
      ...options.map(([key, text]) => h('option', { value: key, text })),
    );
    box.value = value;
    return box;
  }

  const toggle = (id: string, label: string, on: boolean, take: (on: boolean) => void): HTMLElement =>
    h('button', {
      id,
      type: 'button',
      class: on ? 'queue-chip is-on' : 'queue-chip',
      'aria-pressed': String(on),
      text: label,
      on: { click: () => take(!on) },
    });

  let typing: number | undefined;
  const finder = h('input', {
    id: 'queue-text',
    class: 'field',
    type: 'search',
    autocomplete: 'off',
    maxlength: '100',
    on: {
      input: () => {
        window.clearTimeout(typing);
        typing = window.setTimeout(() => change({ text: finder.value }), TYPING_MS);
      },
    },
  });

  function filters(): void {
    const { filters: now, stages } = store.get();
    const many = (stage: string): string => {
      const count = stages?.[stage as keyof typeof stages];
      return count === undefined || now.stage !== '' ? '' : ` (${number(count)})`;
    };
    const areas = app.catalog.areas.features
      .map(({ properties }) => properties)
      .filter(({ level }) => level !== 'district')
      .sort((a, b) => (a.code < b.code ? -1 : 1))
      .map(
        (area) =>
          [area.code, `${area.level === 'community' ? '\u3000' : ''}${nameOf(area) || area.code}`] as const,
      );
    const any = JSON.stringify(now) !== JSON.stringify(NO_FILTERS);
    finder.placeholder = t('dispatch.search');
    finder.setAttribute('aria-label', t('dispatch.search'));
    if (document.activeElement !== finder) finder.value = now.text;
    keepFocus(head, () =>
      renew(
        head,
        h(
          'div',
          { class: 'queue-selects' },
          select(
            'filter-stage',
            t('dispatch.stages'),
            [
              ['', t('dispatch.stageAll')],
              ...STAGES.filter((stage) => stage !== CLOSED).map(
                (stage) => [stage, stageName(stage) + many(stage)] as const,
              ),
            ],
            now.stage,
            (stage) => change({ stage: stage as Filters['stage'] }),
          ),
          select(
            'filter-major',
            t('dispatch.class'),
            [['', t('dispatch.majorAll')], ...MAJORS.map((major) => [major, word(major)] as const)],
            now.major,
            (major) => change({ major }),
          ),
          select(
            'filter-area',
            t('dispatch.areaAll'),
            [['', t('dispatch.areaAll')], ...areas],
            now.area,
            (area) => change({ area }),
          ),
        ),
        h(
          'div',
          { class: 'queue-chips' },
          toggle('filter-unassigned', t('dispatch.unassigned'), now.unassigned, (unassigned) =>
            change({ unassigned }),
          ),
          toggle('filter-near', t('dispatch.near'), now.near, (near) => change({ near })),
          finder,
          any
            ? iconButton('close', t('dispatch.clearFilters'), () => {
                finder.value = '';
                actions.filter(NO_FILTERS);
              })
            : null,
        ),
      ),
    );
  }

  // --- rows ---
  function row(report: Queued, at: number): HTMLElement {
    const { active, fresh, matched } = store.get();
    const tag = (kind: string, text: string): HTMLElement => h('span', { class: `tag tag-${kind}`, text });
    const dot = h('span', { class: report.grid ? 'dot' : 'dot is-hollow', 'aria-hidden': 'true' });
    dot.style.setProperty('--dot', STAGE_COLORS[report.stage]);
    const grid = report.grid
      ? [shortName(app, report.grid, report.grid_name), communityOf(app, report.grid)]
          .filter(Boolean)
          .join(' · ')
      : '';
    const line = h(
      'div',
      {
        id: `report-${report.id}`,
        class: at === active ? 'queue-row is-active' : 'queue-row',
        role: 'option',
        'aria-selected': String(at === active),
        'aria-posinset': String(at + 1),
        'aria-setsize': String(matched),
        'data-id': String(report.id),
        on: {
          click: () => {
            store.set({ active: at });
            actions.open(report.id);
          },
        },
      },
      dot,
      h(
        'div',
        { class: 'queue-words' },
        h(
          'div',
          { class: 'queue-first' },
          h('strong', { text: report.minor || word(report.major) }),
          fresh.has(report.id) && tag('fresh', t('dispatch.fresh')),
          report.near_border && tag('near', t('dispatch.near')),
          report.by_hand && tag('hand', t('dispatch.byHand')),
          h('time', { datetime: report.reported_at, text: when(report.reported_at) }),
        ),
        h('div', { class: 'queue-second', text: report.description || word(report.major) }),
        h(
          'div',
          { class: 'queue-third' },
          h('span', { text: stageName(report.stage) }),
          grid ? h('span', { class: 'queue-grid', text: grid }) : tag('none', t('dispatch.noGrid')),
        ),
      ),
    );
    line.style.top = `${at * ROW}px`;
    return line;
  }

  function waiting(at: number): HTMLElement {
    const line = h('div', {
      class: 'queue-row is-waiting',
      role: 'option',
      'aria-disabled': 'true',
      text: t('dispatch.loadingRow'),
    });
    line.style.top = `${at * ROW}px`;
    return line;
  }

  function rows(): void {
    const { rows: held, matched, active } = store.get();
    const { first, last } = windowOf(list.scrollTop, list.clientHeight || 600, ROW, matched);
    space.style.height = `${matched * ROW}px`;
    const drawn: HTMLElement[] = [];
    for (let at = first; at < last; at += 1) {
      const report = held[at];
      drawn.push(report ? row(report, at) : waiting(at));
    }
    renew(space, ...drawn);
    if (held.length < last) actions.reach(last - 1);
    const here = held[active];
    if (here && active >= first && active < last)
      list.setAttribute('aria-activedescendant', `report-${here.id}`);
    else list.removeAttribute('aria-activedescendant');
  }

  function all(): void {
    const { matched, loading, filters: now } = store.get();
    renew(
      heading,
      t('dispatch.queue'),
      may('dispatch') &&
        h('span', {
          class: 'aside',
          id: 'queue-count',
          text: t('dispatch.count', { count: number(matched) }),
        }),
    );
    list.setAttribute('aria-label', t('dispatch.queue'));
    list.hidden = matched === 0;
    head.hidden = !may('dispatch');
    none.hidden = matched > 0 || (loading && !head.hidden);
    const filtered = JSON.stringify(now) !== JSON.stringify(NO_FILTERS);
    if (head.hidden) renew(none, icon('lock'), t('dispatch.queueClosed'));
    else renew(none, icon('check'), t(filtered ? 'dispatch.emptyFiltered' : 'dispatch.empty'));
    filters();
    rows();
  }

  function go(at: number): void {
    const { matched } = store.get();
    const next = Math.min(Math.max(at, 0), matched - 1);
    if (next < 0) return;
    list.scrollTop = scrollFor(next, list.scrollTop, list.clientHeight, ROW);
    store.set({ active: next });
  }

  const steps: Readonly<Record<string, (at: number) => number>> = {
    ArrowDown: (at) => at + 1,
    ArrowUp: (at) => at - 1,
    PageDown: (at) => at + Math.max(1, Math.floor(list.clientHeight / ROW) - 1),
    PageUp: (at) => at - Math.max(1, Math.floor(list.clientHeight / ROW) - 1),
    Home: () => 0,
    End: () => store.get().matched - 1,
  };
  list.addEventListener('keydown', (event) => {
    const step = steps[event.key];
    const { active, rows: held } = store.get();
    if (step) {
      event.preventDefault();
      go(step(active));
    } else if (event.key === 'Enter' && held[active]) {
      event.preventDefault();
      actions.open(held[active].id);
    }
  });
  let asked = 0;
  list.addEventListener('scroll', () => {
    window.cancelAnimationFrame(asked);
    asked = window.requestAnimationFrame(rows);
  });
  new ResizeObserver(rows).observe(list);
  store.on(['rows', 'matched', 'loading', 'filters', 'stages'], all);
  store.on(['active', 'fresh'], rows);
  session.on(['me'], all);
  onLang(all);
  // "5 minutes ago" grows old
  window.setInterval(rows, 60_000);
  all();
  return { element, focus: () => (list.hidden ? element.querySelector('select') : list)?.focus() };
}
