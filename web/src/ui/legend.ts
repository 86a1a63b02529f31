/** What the colours mean, and how many grids are of each. */
import { type App, circlesOn, isComputed } from '../core/app';
import { classOf } from '../core/classes';
import { h, icon, renew } from '../core/dom';
import { number } from '../core/format';
import { majorColor, majorName } from '../core/names';
import { mix, rangeLine } from '../core/palette';
import { placeShare } from '../core/shares';
import type { GridProperties } from '../core/types';
import { labelOf, onLang, t } from '../i18n';
import type { TextKey } from '../i18n/texts';
import { isSpecial } from '../map/grids';
import { hatch, openHatch } from '../map/pattern';
import { BLIND, BLIND_BUILDING, COVERED, LAND, RANGE_COLORS, UNASSESSED } from '../map/theme';

export function swatch(color: string | null, kind = ''): HTMLElement {
  const element = h('span', { class: `swatch ${kind}`.trim(), 'aria-hidden': 'true' });
  if (color) element.style.backgroundColor = color;
  return element;
}

export function row(mark: HTMLElement, label: string, amount?: number): HTMLElement {
  return h(
    'li',
    { class: 'legend-row' },
    mark,
    h('span', { class: 'legend-label', text: label }),
    amount !== undefined && h('span', { class: 'amount', text: number(amount) }),
  );
}

/** A theme's colour as it looks on the map, where it lies thin over the land. */
const onLand = (color: string): string => mix(color, LAND, 0.24);

export function hatched(color: string, pattern = hatch): HTMLElement {
  const element = swatch(null);
  const picture = h('canvas', { class: 'swatch-tile', width: 20, height: 14 });
  const context = picture.getContext('2d');
  if (context) {
    context.fillStyle = pattern(color);
    context.fillRect(0, 0, 20, 14);
  }
  element.append(picture);
  return element;
}

/** Fill the legend card; it follows the theme shown. */
export function createLegend(host: HTMLElement, app: App): void {
  const { store, catalog } = app;
  const grids = catalog.grids.features.map(({ properties }) => properties as GridProperties);
  const narrow = window.matchMedia('(max-width: 760px)');
  const middling = window.matchMedia('(max-width: 1180px)');
  /** What the reader chose; until then the legend folds where it would cover the map. */
  let chosen: boolean | null = null;
  const isOpen = (): boolean =>
    chosen ??
    !(narrow.matches || (store.get().selection !== null && (middling.matches || store.get().reach !== null)));

  function households(): HTMLElement[] {
    const { palette, overview } = catalog;
    const classes = palette.households;
    const ordinary = grids.filter((grid) => !isSpecial(grid));
    const counts = classes.map(() => 0);
    for (const grid of ordinary) {
      const at = classOf(classes, grid.households);
      if (at >= 0) counts[at] = (counts[at] ?? 0) + 1;
    }
    const rows = classes.map((entry, at) =>
      row(swatch(onLand(entry.color)), labelOf(entry.label_zh, entry.label_en), counts[at] ?? 0),
    );
    if (ordinary.length < grids.length) {
      rows.push(
        row(
          hatched(palette.special.color),
          labelOf(palette.special.label_zh, palette.special.label_en),
          grids.length - ordinary.length,
        ),
      );
    }
    return [
      h('h3', { text: t('legend.households') }, h('small', { text: t('legend.band', overview.band) })),
      h('ul', { class: 'legend-rows' }, ...rows),
    ];
  }

  function coverage(): HTMLElement[] {
    const { coverage: shown, who } = store.get();
    if (!shown) return [];
    const category = catalog.categories.find((entry) => entry.category === shown.category);
    const { shares, noResidents } = catalog.palette;
    const rowOf = new Map(shown.rows.map((entry) => [entry.code, entry]));
    const places = shown.by === 'grid' ? grids.map(({ code }) => code) : [...rowOf.keys()];
    const counts = shares.map(() => 0);
    let none = 0;
    let unassessed = 0;
    for (const code of places) {
      const value = placeShare(rowOf.get(code), who);
      if (value === 'none') none += 1;
      else if (value === 'unassessed') unassessed += 1;
      else {
        const at = classOf(shares, value);
        counts[at] = (counts[at] ?? 0) + 1;
      }
    }
    const rows = shares
      .map((entry, at) =>
        row(swatch(onLand(entry.color)), labelOf(entry.label_zh, entry.label_en), counts[at] ?? 0),
      )
      .reverse();
    if (unassessed > 0) rows.push(row(hatched(UNASSESSED), t('legend.unassessed'), unassessed));
    if (none > 0) rows.push(row(swatch(onLand(noResidents.color)), t(`legend.none.${who}`), none));
    const name = labelOf(category?.name_zh, category?.name_en) || shown.category;
    const by = t(shown.by === 'grid' ? 'legend.grids' : 'legend.communities');
    return [
      h('h3', { text: t(`legend.coverage.${who}`, { name }) }, h('small', { text: by })),
      h('ul', { class: 'legend-rows', 'data-legend': 'coverage' }, ...rows),
    ];
  }

  function times(colors: ReadonlyMap<number, string>, words: TextKey): HTMLElement[] {
    const profile = t(`profile.${store.get().profile}`);
    return [...colors].map(([minutes, color]) => {
      const line = swatch(null, `swatch-line swatch-line-${minutes}`);
      line.style.borderTopColor = rangeLine(color, minutes);
      return row(line, t(words, { minutes, profile }));
    });
  }

  /** Lines and hatches of circles: ranges, blind spots, what was drawn on the spot. */
  function marks(): HTMLElement[] {
    const { coverage: shown, isochrones, ranges, blind } = store.get();
    const stored = new Map(
      (catalog.overview.circles?.minutes ?? [5, 10, 15]).map((minutes) => [
        minutes,
        catalog.palette.isochrones.get(minutes) ?? '#1d6fa5',
      ]),
    );
    const rows = [
      ...(ranges
        ? times(RANGE_COLORS, ranges.answer.direction === 'to' ? 'legend.rangeTo' : 'legend.rangeFrom')
        : shown && isochrones
          ? times(stored, 'legend.isochrone')
          : []),
      ...(blind && blind.features.length > 0
        ? [row(hatched(BLIND, openHatch), t('legend.blind'), blind.numberMatched)]
        : []),
    ];
    return rows.length > 0 ? [h('ul', { class: 'legend-rows legend-more' }, ...rows)] : [];
  }

  /** What the colours of single buildings say, while those are in sight. */
  function buildings(): HTMLElement[] {
    const state = store.get();
    if (!state.near || !state.layers.buildings || !circlesOn(state) || !isComputed(state)) return [];
    const unassessed = row(hatched(UNASSESSED), t('legend.building.unassessed'));
    const rows = state.category
      ? [
          row(swatch(COVERED), t('legend.building.covered')),
          row(swatch(BLIND_BUILDING), t('legend.building.blind')),
          unassessed,
        ]
      : [
          ...catalog.palette.shares
            .map((entry) => row(swatch(entry.color), labelOf(entry.label_zh, entry.label_en)))
            .reverse(),
          unassessed,
        ];
    return [
      h('h3', { text: t(state.category ? 'legend.buildings' : 'legend.scores') }),
      h('ul', { class: 'legend-rows', 'data-legend': 'buildings' }, ...rows),
    ];
  }

  function components(): HTMLElement[] {
    const majors = [...new Set([...catalog.majors.keys(), ...catalog.palette.majors.keys()])].sort();
    if (!store.get().layers.components || majors.length === 0) return [];
    return [
      h('h3', { text: t('legend.components') }),
      h(
        'ul',
        { class: 'legend-rows legend-two' },
        ...majors.map((major) =>
          row(swatch(majorColor(catalog, major), 'swatch-dot'), majorName(catalog, major)),
        ),
      ),
    ];
  }

  function draw(): void {
    const { layers } = store.get();
    const open = isOpen();
    const title = h(
      'button',
      {
        type: 'button',
        class: 'legend-title',
        'aria-expanded': String(open),
        'aria-label': t('legend.toggle'),
        on: {
          click: () => {
            chosen = !open;
            draw();
            host.querySelector('button')?.focus();
          },
        },
      },
      h('span', { text: t('legend.title') }),
      icon('down'),
    );
    const other = store.get().theme;
    const own = layers.grids ? (store.get().coverage ? coverage() : households()) : [];
    const theme = other ? other.legend() : own;
    const parts = [...theme, ...marks(), ...buildings(), ...components()];
    renew(host, title, open && h('div', { class: 'legend-body', tabindex: '0' }, ...parts));
  }
  store.on(
    [
      'coverage',
      'layers',
      'isochrones',
      'who',
      'blind',
      'ranges',
      'near',
      'panel',
      'computed',
      'profile',
      'theme',
    ],
    draw,
  );
  middling.addEventListener('change', draw);
  let wasOpen = isOpen();
  store.on(['selection', 'reach'], () => {
    if (isOpen() !== wasOpen) draw();
    wasOpen = isOpen();
  });
  onLang(draw);
  draw();
}
