/** Service circles: who moves, the score of all kinds, one kind with its figures and blind spots, the ranking. */
import { type App, isComputed } from '../core/app';
import type { Circling } from '../core/circling';
import { h, keepFocus, renew } from '../core/dom';
import { percent } from '../core/format';
import { coveredShare } from '../core/shares';
import type { CircleCategory, CirclesSummary, Place, Who } from '../core/types';
import { labelOf, t } from '../i18n';
import { glyphElement } from '../map/facilities';
import { blindList } from './blindList';
import { categoryFigures, scoreBox } from './circleFigures';
import { byTier } from './layersTab';
import { bar, choices, switchRow } from './parts';
import { computeBox, profileChoice, speedField } from './profileBox';
import type { Tab } from './side';

const WHO: readonly Who[] = ['residents', 'elderly', 'buildings'];
const PLACES: readonly Place[] = ['grid', 'community'];

export function circlesTab(app: App, circling: Circling, zoomToBlind: (rank: number) => void): Tab {
  const { store, catalog } = app;
  let host: HTMLElement | null = null;
  let allBlind = false;

  function select(): HTMLElement {
    const list = h(
      'select',
      { id: 'category', class: 'select', on: { change: () => circling.category(list.value || null) } },
      h('option', { value: '', text: t('circles.off') }),
      ...byTier(catalog.categories).map(([minutes, categories]) =>
        h(
          'optgroup',
          { label: t('facilities.tier', { minutes }) },
          ...categories.map((category) =>
            h('option', { value: category.category, text: labelOf(category.name_zh, category.name_en) }),
          ),
        ),
      ),
    );
    list.value = store.get().category ?? '';
    return list;
  }

  function coloured(): HTMLElement {
    const { who, by, isochrones } = store.get();
    return h(
      'div',
      { class: 'coloured' },
      h('p', { class: 'muted', text: t('circles.colours') }),
      choices(
        'who',
        t('circles.who'),
        WHO.map((value) => ({ value, label: t(`who.${value}`) })),
        who,
        (value) => store.set({ who: value }),
      ),
      choices(
        'by',
        t('circles.by'),
        PLACES.map((value) => ({ value, label: t(`level.${value}`) })),
        by,
        (value) => store.set({ by: value }),
      ),
      switchRow('isochrones', t('circles.polygons'), isochrones, (on) => store.set({ isochrones: on })),
    );
  }

  function oneKind(row: CircleCategory): HTMLElement[] {
    const { blind } = store.get();
    const parts: HTMLElement[] = [
      h('div', { class: 'circle-card' }, categoryFigures(row, store.get()), coloured()),
    ];
    if (blind) {
      const more = (): void => {
        allBlind = !allBlind;
        draw();
      };
      parts.push(blindList(app, blind, allBlind, zoomToBlind, more));
    }
    return parts;
  }

  /** All categories, the worst covered first: where to look. */
  function ranking(rows: readonly CircleCategory[]): HTMLElement {
    const { category, who } = store.get();
    const sorted = rows
      .map((row) => ({ row, value: coveredShare(row, who) }))
      .sort((a, b) => (a.value ?? 2) - (b.value ?? 2));
    return h(
      'div',
      { class: 'ranking' },
      h('h2', { text: t(`circles.ranking.${who}`) }),
      ...sorted.map(({ row, value }) => {
        const known = catalog.categories.find((entry) => entry.category === row.category);
        return h(
          'button',
          {
            type: 'button',
            id: `rank-${row.category}`,
            class: 'rank',
            title: labelOf(row.name_zh, row.name_en),
            'data-category': row.category,
            'aria-pressed': String(row.category === category),
            on: { click: () => circling.category(row.category === category ? null : row.category) },
          },
          known ? glyphElement(known) : h('span'),
          h('span', { class: 'rank-name', text: labelOf(row.name_zh, row.name_en) }),
          bar(value),
          h('span', { class: 'meter-value', text: value === null ? '–' : percent(value) }),
        );
      }),
    );
  }

  function figures(summary: CirclesSummary): (HTMLElement | null)[] {
    const row = summary.categories.find(({ category }) => category === store.get().category);
    return [
      scoreBox(summary.score),
      h('label', { class: 'field-label', for: 'category', text: t('circles.choose') }),
      select(),
      ...(row ? oneKind(row) : []),
      ranking(summary.categories),
    ];
  }

  function draw(): void {
    const body = host;
    if (!body) return;
    if (!catalog.overview.generation) {
      renew(body, h('p', { class: 'muted pad', text: t('circles.absent') }));
      return;
    }
    const { summary } = store.get();
    const waiting = !summary && (store.get().computed === null || isComputed(store.get()));
    keepFocus(body, () =>
      renew(
        body,
        store.get().category === null && h('p', { class: 'muted', text: t('circles.intro') }),
        profileChoice(app, circling),
        speedField(app),
        computeBox(app, circling),
        ...(summary ? figures(summary) : []),
        waiting && h('div', { class: 'skeleton', 'aria-hidden': 'true' }, h('span'), h('span'), h('span')),
      ),
    );
  }
  store.on(['category'], () => {
    allBlind = false;
  });
  store.on(
    ['category', 'profile', 'computed', 'summary', 'computing', 'who', 'by', 'blind', 'isochrones', 'speed'],
    draw,
  );
  store.on(['panel'], ({ panel }) => {
    if (panel === 'circles') void circling.read();
  });

  return {
    key: 'circles',
    icon: 'walk',
    label: 'panel.circles',
    render(body) {
      host = body;
      draw();
    },
  };
}
