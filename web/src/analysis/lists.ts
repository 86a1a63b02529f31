/** Lists of the heat tab: unusual rises, the hottest grids. Each row leads to its grid. */
import type { App } from '../core/app';
import { h } from '../core/dom';
import { date, number } from '../core/format';
import { shortNameIn } from '../core/names';
import type { Store } from '../core/store';
import { lang, nameOf, t } from '../i18n';
import { choices } from '../ui/parts';
import type { HeatState } from './state';
import type { RiseRow, SpotRow } from './types';

const DAYS = ['7', '14', '28'] as const;
const SHOWN = 12;
const NEAR = 3;

export const few = (value: number): string => number(Math.round(value * 10) / 10);

/** "荷塘社区 3网格": where a grid is, for people. */
export function placeName(app: App, code: string): string {
  const grid = app.catalog.gridByCode.get(code);
  if (!grid) return code;
  const area = app.catalog.areaByCode.get(grid.community);
  return `${area ? nameOf(area) : ''} ${shortNameIn(app.catalog, grid)}`.trim();
}

function small(q: number): string {
  return q < 0.001 ? '< 0.001' : String(Math.round(q * 1000) / 1000);
}

function riseRow(app: App, row: RiseRow, go: (code: string) => void): HTMLElement {
  const { grid, ratio } = row;
  const words =
    ratio === null
      ? t('analysis.rises.new', { observed: number(row.observed) })
      : t('analysis.rises.numbers', {
          observed: number(row.observed),
          expected: few(row.expected ?? 0),
          ratio: few(ratio),
        });
  const kind = row.minor || (lang() === 'en' ? row.major_en : row.major);
  const parts = [
    h('span', { class: 'found-name', text: grid ? placeName(app, grid) : t('analysis.rises.area') }),
    row.flagged
      ? h('span', { class: 'flag', text: t('analysis.rises.flag') })
      : h('span', { class: 'found-q', text: t('analysis.rises.q', { q: small(row.q ?? 1) }) }),
    h('span', { class: 'found-more', text: `${kind} · ${words}` }),
  ];
  if (row.flagged)
    parts.push(h('span', { class: 'found-q', text: t('analysis.rises.q', { q: small(row.q ?? 1) }) }));
  return h(
    'li',
    {},
    h(
      'button',
      { type: 'button', class: 'found', disabled: grid === null, on: { click: () => grid && go(grid) } },
      ...parts,
    ),
  );
}

/** The list of rises with how they were found. */
export function risesList(app: App, heat: Store<HeatState>, go: (code: string) => void): HTMLElement {
  const { rises, risesFault, days } = heat.get();
  const head = [
    h('h2', { text: t('analysis.rises') }),
    choices(
      'rise-days',
      t('analysis.rises.days'),
      DAYS.map((value) => ({ value, label: t('analysis.rises.day', { days: value }) })),
      String(days) as (typeof DAYS)[number],
      (value) => heat.set({ days: Number(value) }),
    ),
  ];
  if (!rises)
    return h(
      'section',
      { class: 'block' },
      ...head,
      h('p', { class: 'muted', text: risesFault ?? t('analysis.waiting') }),
    );
  const flagged = rises.rows.filter((row) => row.flagged);
  const near = rises.rows.filter((row) => !row.flagged && row.observed > (row.expected ?? 0)).slice(0, NEAR);
  return h(
    'section',
    { class: 'block', 'data-list': 'rises' },
    ...head,
    h('p', {
      class: 'muted',
      text: t('analysis.rises.window', {
        from: date(rises.window.from),
        to: date(rises.window.to),
        windows: rises.windows,
        days: rises.window_days,
      }),
    }),
    flagged.length > 0
      ? h('ul', { class: 'found-list' }, ...flagged.slice(0, SHOWN).map((row) => riseRow(app, row, go)))
      : h('p', { class: 'calm', text: t('analysis.rises.nothing') }),
    near.length > 0 && flagged.length < SHOWN && h('h3', { text: t('analysis.rises.near') }),
    near.length > 0 &&
      flagged.length < SHOWN &&
      h('ul', { class: 'found-list' }, ...near.map((row) => riseRow(app, row, go))),
    h(
      'details',
      { class: 'how' },
      h('summary', { text: t('analysis.rises.how') }),
      h('p', {
        text: t('analysis.rises.method', {
          tests: number(rises.tests),
          alpha: rises.alpha,
          least: rises.least,
        }),
      }),
    ),
  );
}

/** The hottest grids, by z. */
export function spotsList(app: App, heat: Store<HeatState>, go: (code: string) => void): HTMLElement | null {
  const { spots, smooth } = heat.get();
  if (!spots) return null;
  const hot = spots.rows
    .filter(({ spot }) => spot.startsWith('hot'))
    .sort((a, b) => (b.z ?? 0) - (a.z ?? 0))
    .slice(0, SHOWN);
  const rowOf = (row: SpotRow): HTMLElement =>
    h(
      'li',
      {},
      h(
        'button',
        { type: 'button', class: 'found', on: { click: () => go(row.grid) } },
        h('span', { class: 'found-name', text: placeName(app, row.grid) }),
        h('span', { class: 'found-q', text: `z ${few(row.z ?? 0)}` }),
        h('span', {
          class: 'found-more',
          text: `${t('analysis.rate', { rate: few((smooth ? row.smoothed : row.rate) ?? 0) })} · ${t('analysis.frame.count', { count: number(row.reports) })}`,
        }),
      ),
    );
  return h(
    'section',
    { class: 'block', 'data-list': 'spots' },
    h('h2', { text: t('analysis.spots.list') }),
    hot.length > 0
      ? h('ul', { class: 'found-list' }, ...hot.map(rowOf))
      : h('p', { class: 'calm', text: t('analysis.spots.nothing') }),
  );
}
