/** What the colours mean, and how many grids are of each. */
import type { App } from '../core/app';
import { classOf } from '../core/classes';
import { h, icon, renew } from '../core/dom';
import { number } from '../core/format';
import { majorColor, majorName } from '../core/names';
import { mix, rangeLine } from '../core/palette';
import type { GridProperties } from '../core/types';
import { labelOf, onLang, t } from '../i18n';
import { isSpecial } from '../map/grids';
import { hatch } from '../map/pattern';
import { LAND } from '../map/theme';

function swatch(color: string | null, kind = ''): HTMLElement {
  const element = h('span', { class: `swatch ${kind}`.trim(), 'aria-hidden': 'true' });
  if (color) element.style.backgroundColor = color;
  return element;
}

function row(mark: HTMLElement, label: string, amount?: number): HTMLElement {
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

function hatched(color: string): HTMLElement {
  const element = swatch(null);
  const picture = h('canvas', { class: 'swatch-tile', width: 20, height: 14 });
  const context = picture.getContext('2d');
  if (context) {
    context.fillStyle = hatch(color);
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
    chosen ?? !(narrow.matches || (middling.matches && store.get().selection !== null));

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
    const shown = store.get().coverage;
    if (!shown) return [];
    const category = catalog.categories.find((entry) => entry.category === shown.category);
    const { shares, noResidents, isochrones } = catalog.palette;
    const counts = shares.map(() => 0);
    let none = 0;
    for (const { residents_share } of shown.grids) {
      const at = classOf(shares, residents_share);
      if (at < 0) none += 1;
      else counts[at] = (counts[at] ?? 0) + 1;
    }
    const rows = shares
      .map((entry, at) =>
        row(swatch(onLand(entry.color)), labelOf(entry.label_zh, entry.label_en), counts[at] ?? 0),
      )
      .reverse();
    if (none > 0)
      rows.push(
        row(swatch(onLand(noResidents.color)), labelOf(noResidents.label_zh, noResidents.label_en), none),
      );
    const name = labelOf(category?.name_zh, category?.name_en) || shown.category;
    const minutes = catalog.overview.circles?.minutes ?? [];
    return [
      h('h3', { text: t('legend.coverage', { name }) }),
      h('ul', { class: 'legend-rows', 'data-legend': 'coverage' }, ...rows),
      ...(store.get().isochrones
        ? [
            h(
              'ul',
              { class: 'legend-rows legend-more' },
              ...minutes.map((count) => {
                const line = swatch(null, `swatch-line swatch-line-${count}`);
                line.style.borderTopColor = rangeLine(isochrones.get(count) ?? '#1d6fa5', count);
                return row(line, t('legend.isochrone', { minutes: count }));
              }),
            ),
          ]
        : []),
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
    const theme = layers.grids ? (store.get().coverage ? coverage() : households()) : [];
    renew(host, title, open && h('div', { class: 'legend-body' }, ...theme, ...components()));
  }
  store.on(['coverage', 'layers', 'isochrones'], draw);
  middling.addEventListener('change', draw);
  let wasOpen = isOpen();
  store.on(['selection'], () => {
    if (isOpen() !== wasOpen) draw();
    wasOpen = isOpen();
  });
  onLang(draw);
  draw();
}
