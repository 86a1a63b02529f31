/** The parts of the page, each of one answer. */
import { type Attributes, h } from '../core/dom';
import { distance, number, percent } from '../core/format';
import type { NearestAnswer } from '../core/types';
import { labelOf, lang, t } from '../i18n';
import { bar } from '../ui/parts';
import type { PlaceAnswer } from './answers';
import { draw } from './sketch';

type Part = HTMLElement | null;
const FEW = 5;

export function section(title: string, hint: string | null, ...parts: (Node | null)[]): HTMLElement {
  return h(
    'section',
    { class: 'place-part' },
    h('h2', { text: title }),
    hint && h('p', { class: 'place-hint', text: hint }),
    ...parts,
  );
}

/** The name in the reader's language: grids have none in English, so they take their community's. */
export function titleOf(place: PlaceAnswer): string {
  if (lang() === 'zh') return place.name || place.code;
  if (place.place === 'community') return place.name_en || place.name;
  const community = place.chain.find(({ level }) => level === 'community');
  const digits = place.code.slice(12);
  if (!community?.name_en || !/^\d{3}$/.test(digits)) return place.name || place.code;
  return t('place.gridName', { community: community.name_en, number: Number(digits) });
}

export function chain(place: PlaceAnswer): HTMLElement {
  const above = place.chain.filter(({ code }) => code !== place.code).reverse();
  return h(
    'ol',
    { class: 'place-chain', 'aria-label': t('place.belongs') },
    ...above.map(({ level, code, name, name_en }) => {
      const text = labelOf(name, name_en) || code;
      const attributes: Attributes = { text };
      return h(
        'li',
        {},
        level === 'community'
          ? h('a', { ...attributes, href: `./place?code=${code}` })
          : h('span', attributes),
      );
    }),
  );
}

export function numbers(place: PlaceAnswer): HTMLElement {
  const { households, population, elderly, buildings, grids, square_metres } = place.numbers;
  const told: [string, string][] = [
    [t('place.households'), number(households)],
    [t('place.population'), number(population)],
    [t('place.elderly'), number(elderly)],
    [t('place.buildings'), number(buildings)],
    [t('place.area'), number(Math.round(square_metres / 1000) / 10)],
  ];
  if (grids > 0) told.push([t(place.place === 'grid' ? 'place.microGrids' : 'place.grids'), number(grids)]);
  return section(
    t('place.people'),
    null,
    h(
      'dl',
      { class: 'place-figures' },
      ...told.map(([label, value]) => h('div', {}, h('dt', { text: label }), h('dd', { text: value }))),
    ),
  );
}

/** Roles alone: who holds a post is nobody's business here. */
export function posts(place: PlaceAnswer): Part {
  if (place.posts.length === 0) return null;
  const rows = place.posts.map(({ role, department }) =>
    h('li', {}, h('strong', { text: role }), department !== '' && h('span', { text: department })),
  );
  return section(t('place.posts'), null, h('ul', { class: 'place-posts' }, ...rows));
}

export function reports(place: PlaceAnswer): HTMLElement {
  const { this_month, open, months } = place.reports;
  const most = Math.max(...months.map(({ count }) => count), 1);
  const words = months.map((month) => t('place.monthCount', month)).join(lang() === 'zh' ? '，' : ', ');
  const bars = months.map(({ count }, at) => {
    const high = count === 0 ? 1 : Math.max((count / most) * 44, 3);
    return draw('rect', {
      x: at * 20 + 3,
      y: 46 - high,
      width: 14,
      height: high,
      class: at === months.length - 1 ? 'is-now' : '',
    });
  });
  const total = months.reduce((sum, { count }) => sum + count, 0);
  const trend = draw(
    'svg',
    {
      viewBox: '0 0 240 47',
      class: 'place-trend',
      role: 'img',
      'aria-label': t('place.trend', { counts: words }),
    },
    ...bars,
  );
  return section(
    t('place.reports'),
    null,
    h(
      'dl',
      { class: 'place-figures' },
      h('div', {}, h('dt', { text: t('place.thisMonth') }), h('dd', { text: number(this_month) })),
      h('div', {}, h('dt', { text: t('place.open') }), h('dd', { text: number(open) })),
    ),
    total > 0
      ? h(
          'div',
          { class: 'place-trend-box' },
          h('span', { text: t('place.trendTitle') }),
          months12(months),
          trend,
        )
      : h('p', { class: 'place-hint', text: t('place.noReports') }),
  );
}

function months12(months: PlaceAnswer['reports']['months']): HTMLElement {
  const short = (month: string): string => month.slice(2).replace('-', '.');
  return h(
    'span',
    { class: 'place-trend-ends' },
    `${short(months[0]?.month ?? '')} – ${short(months.at(-1)?.month ?? '')}`,
  );
}

export function components(place: PlaceAnswer): HTMLElement {
  const rows = place.components.map(({ name, name_en, count }): [string, number] => [
    labelOf(name, name_en),
    count,
  ]);
  return section(t('place.components'), null, counted(rows, t('place.noComponents')));
}

export function facilities(place: PlaceAnswer): HTMLElement {
  const rows = place.facilities.map(({ name_zh, name_en, count }): [string, number] => [
    labelOf(name_zh, name_en),
    count,
  ]);
  return section(t('place.facilities'), null, counted(rows, t('place.noFacilities')));
}

function counted(rows: readonly [string, number][], none: string): HTMLElement {
  if (rows.length === 0) return h('p', { class: 'place-hint', text: none });
  const tags = rows.map(([label, count]) =>
    h('li', {}, h('span', { text: label }), h('b', { text: number(count) })),
  );
  return h('ul', { class: 'place-tags' }, ...tags);
}

/** The worst covered first; the others behind a click. */
export function circles(place: PlaceAnswer): Part {
  const rows = place.circles
    .filter(({ residents_share }) => residents_share !== null)
    .sort((a, b) => (a.residents_share ?? 0) - (b.residents_share ?? 0));
  if (rows.length === 0) return null;
  const made = rows.map(({ name_zh, name_en, minutes, residents_share }) => {
    const share = residents_share ?? 0;
    return h(
      'li',
      {},
      h(
        'span',
        { class: 'place-bar-name' },
        labelOf(name_zh, name_en),
        h('small', { text: t('place.tier', { minutes }) }),
      ),
      bar(share, share < 0.5 ? 'is-low' : ''),
      h('span', { class: 'place-bar-value', text: percent(share) }),
    );
  });
  const list = (items: HTMLElement[]): HTMLElement => h('ul', { class: 'place-bars' }, ...items);
  const rest = made.slice(FEW);
  return section(
    t('place.circles'),
    t('place.circlesHint'),
    list(made.slice(0, FEW)),
    rest.length > 0
      ? h(
          'details',
          { class: 'place-more' },
          h('summary', { text: t('place.more', { count: made.length }) }),
          list(rest),
        )
      : null,
  );
}

export function nearest({ nearest: rows }: NearestAnswer): Part {
  const found = rows
    .filter(({ facility }) => facility !== null)
    .sort((a, b) => (a.seconds ?? 0) - (b.seconds ?? 0));
  if (found.length === 0) return null;
  const made = found.map(({ name_zh, name_en, facility, seconds, metres }) =>
    h(
      'li',
      {},
      h(
        'span',
        { class: 'place-near-name' },
        h('strong', { text: labelOf(name_zh, name_en) }),
        h('small', { text: facility?.name ?? '' }),
      ),
      h('span', {
        class: 'place-near-way',
        text: t('place.minutes', {
          minutes: Math.max(Math.ceil((seconds ?? 0) / 60), 1),
          distance: distance(metres ?? 0),
        }),
      }),
    ),
  );
  const list = (items: HTMLElement[]): HTMLElement => h('ul', { class: 'place-near' }, ...items);
  const rest = made.slice(2 * FEW);
  return section(
    t('place.nearest'),
    t('place.nearestHint'),
    list(made.slice(0, 2 * FEW)),
    rest.length > 0
      ? h(
          'details',
          { class: 'place-more' },
          h('summary', { text: t('place.more', { count: made.length }) }),
          list(rest),
        )
      : null,
  );
}
