/** Figures of both plans beside each other, and the table of moves. */
import { h, keepFocus, renew } from '../core/dom';
import { number, percent } from '../core/format';
import { t } from '../i18n';
import type { Comparison, Move } from '../plans/types';
import { figure } from '../plans/wording';
import { keyOf } from './arrows';
import {
  type Column,
  COLUMNS,
  csvOf,
  type FigureRow,
  figureRows,
  filtered,
  type Order,
  sorted,
} from './rows';

/** Rows of the table drawn; the CSV has all of them. */
const ROWS = 300;

function shown(value: number | null, kind: FigureRow['kind']): string {
  if (value === null) return '–';
  if (kind === 'share') return percent(value);
  return kind === 'ratio' ? value.toFixed(3) : number(Math.round(value));
}

const MARKS = { better: '▲', worse: '▼', same: '＝', none: '' } as const;

/** The table of figures: what was better or worse is said in words, a sign and colour. */
export function figuresTable(found: Comparison, before: string, after: string): HTMLElement {
  const least = (side: Comparison['figures']): string => {
    const balance = side.overall['balance'] as { least?: number; most?: number } | null | undefined;
    return balance ? `${figure(balance.least)}–${figure(balance.most)}` : '–';
  };
  const row = (label: string, one: string, two: string, verdict: FigureRow['verdict']): HTMLElement =>
    h(
      'tr',
      { class: `is-${verdict}` },
      h('th', { scope: 'row', text: label }),
      h('td', { class: 'num', text: one }),
      h('td', { class: 'num', text: two }),
      h(
        'td',
        { class: 'judged' },
        verdict !== 'none' && h('span', { 'aria-hidden': 'true', text: MARKS[verdict] }),
        verdict !== 'none' && h('span', { text: t(`compare.${verdict}`) }),
      ),
    );
  const rows = figureRows(found.before, found.figures).map(({ key, kind, before: a, after: b, verdict }) =>
    row(t(`compare.${key as 'grids'}`), shown(a, kind), shown(b, kind), verdict),
  );
  rows.splice(3, 0, row(t('compare.least_most'), least(found.before), least(found.figures), 'none'));
  return h(
    'table',
    { class: 'figures-table compare-figures' },
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        h('th', { scope: 'col', text: t('compare.figure') }),
        h('th', { scope: 'col', class: 'num', text: t('compare.before'), title: before }),
        h('th', { scope: 'col', class: 'num', text: t('compare.after'), title: after }),
        h('th', { scope: 'col' }, h('span', { class: 'unseen', text: t('compare.better') })),
      ),
    ),
    h('tbody', {}, ...rows),
  );
}

/** What the change comes to, in a few sentences. */
export function summaryOf({ changes, estimated }: Comparison): HTMLElement {
  const moved = Math.round(changes.moved_households);
  return h(
    'div',
    { class: 'compare-summary' },
    h('p', {
      class: 'compare-moved',
      text:
        moved > 0
          ? t('compare.summary', { moved: number(moved), share: percent(changes.moved_share) })
          : t('compare.summaryNone'),
    }),
    h(
      'p',
      { class: 'plan-meta' },
      moved > 0 && h('span', { text: t('compare.least', { count: figure(changes.least_households) }) }),
      changes.boundary_kept !== null &&
        h('span', { text: t('compare.keptBoundary', { share: percent(changes.boundary_kept) }) }),
      changes.new_households > 0 &&
        h('span', { text: t('compare.newHouseholds', { count: figure(changes.new_households) }) }),
    ),
    (estimated || changes.estimated) && h('p', { class: 'plans-notice', text: t('compare.estimated') }),
  );
}

export interface MovesTable {
  element: HTMLElement;
  show: (moves: readonly Move[], chosen: string | null) => void;
}

function download(moves: readonly Move[], name: string): void {
  const names = Object.fromEntries(COLUMNS.map((column) => [column, t(`compare.csv.${column}`)]));
  const blob = new Blob([csvOf(moves, names as Record<Column, string>)], { type: 'text/csv;charset=utf-8' });
  const url = URL.createObjectURL(blob);
  const link = h('a', { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  window.setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** The table; a row that is pressed is chosen, and pressed again let go. */
export function movesTable(choose: (move: Move | null) => void, fileName: () => string): MovesTable {
  let moves: readonly Move[] = [];
  let chosen: string | null = null;
  let order: Order = { by: 'households', down: true };
  const filter = h('input', { type: 'search', id: 'moves-filter', class: 'field', autocomplete: 'off' });
  const csv = h('button', { type: 'button', id: 'moves-csv', class: 'button button-small button-plain' });
  const said = h('p', { class: 'muted', role: 'status' });
  const table = h('table', { class: 'figures-table moves-table' });
  const element = h(
    'div',
    { class: 'moves' },
    h('div', { class: 'moves-tools' }, filter, csv),
    said,
    h('div', { class: 'moves-scroll', tabindex: '0', role: 'region' }, table),
  );
  filter.addEventListener('input', draw);
  csv.addEventListener('click', () => download(sorted(moves, order), fileName()));

  const nameOf = (column: Column): string =>
    t(
      (
        {
          old: 'compare.from',
          new: 'compare.to',
          households: 'compare.households',
          population: 'compare.population',
          units: 'compare.units',
        } as const
      )[column],
    );

  function head(column: Column): HTMLElement {
    const here = order.by === column;
    const text = column === 'old' || column === 'new';
    return h(
      'th',
      {
        scope: 'col',
        class: text ? '' : 'num',
        'aria-sort': here ? (order.down ? 'descending' : 'ascending') : 'none',
      },
      h(
        'button',
        {
          type: 'button',
          id: `sort-${column}`,
          class: 'sort',
          title: t('compare.sortBy', { name: nameOf(column) }),
          on: {
            click: () => {
              order = { by: column, down: here ? !order.down : !text };
              draw();
            },
          },
        },
        h('span', { text: nameOf(column) }),
        h('span', { 'aria-hidden': 'true', text: here ? (order.down ? ' ▾' : ' ▴') : '' }),
      ),
    );
  }

  function row(move: Move): HTMLElement {
    const key = keyOf(move);
    const here = key === chosen;
    const press = (): void => choose(here ? null : move);
    const old = h('button', {
      type: 'button',
      id: `move-${key}`,
      class: 'move-pick',
      'aria-pressed': String(here),
      'aria-label': t('compare.chosen', {
        from: move.old,
        to: move.new ?? t('compare.toNone'),
        count: figure(move.households),
      }),
      text: move.old,
    });
    return h(
      'tr',
      { class: here ? 'is-chosen' : '', 'data-key': key, on: { click: press } },
      h('td', {}, old),
      h('td', {}, h('code', { text: move.new ?? t('compare.toNone') })),
      h('td', { class: 'num', text: figure(move.households) }),
      h('td', { class: 'num', text: figure(move.population) }),
      h('td', { class: 'num', text: figure(move.units) }),
    );
  }

  function draw(): void {
    filter.placeholder = t('compare.filter');
    filter.setAttribute('aria-label', t('compare.filter'));
    csv.textContent = t('compare.download');
    csv.disabled = moves.length === 0;
    element.querySelector('.moves-scroll')?.setAttribute('aria-label', t('compare.tab.moves'));
    const found = sorted(filtered(moves, filter.value), order);
    said.textContent =
      moves.length === 0
        ? t('compare.noMoves')
        : t('compare.listed', { count: number(Math.min(found.length, ROWS)), total: number(moves.length) });
    table.hidden = moves.length === 0;
    keepFocus(table, () =>
      renew(
        table,
        h('thead', {}, h('tr', {}, ...COLUMNS.map(head))),
        h('tbody', {}, ...found.slice(0, ROWS).map(row)),
      ),
    );
  }
  draw();
  return {
    element,
    show(next, key) {
      moves = next;
      chosen = key;
      draw();
    },
  };
}
