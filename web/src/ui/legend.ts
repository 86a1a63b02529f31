/** What the colours mean, and how many grids are of each. */
import type { App } from '../core/app';
import { classOf, SHARE_CLASSES, shareClass } from '../core/classes';
import { h, icon, renew } from '../core/dom';
import { number } from '../core/format';
import type { GridProperties } from '../core/types';
import { labelOf, onLang, t } from '../i18n';
import { isSpecial } from '../map/grids';
import { majorColor } from '../map/theme';

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

function shareLabel(index: number): string {
  const from = Math.round((SHARE_CLASSES[index]?.from ?? 0) * 100);
  const next = SHARE_CLASSES[index + 1];
  if (!next) return t('legend.shareFrom', { from });
  const to = Math.round(next.from * 100);
  return index === 0 ? t('legend.shareBelow', { to }) : t('legend.shareBetween', { from, to });
}

/** Fill the legend card; it follows the theme shown. */
export function createLegend(host: HTMLElement, app: App): void {
  const { store, catalog } = app;
  const grids = catalog.grids.features.map(({ properties }) => properties as GridProperties);
  let open = !window.matchMedia('(max-width: 760px)').matches;

  function households(): HTMLElement[] {
    const { classes, overview } = catalog;
    const ordinary = grids.filter((grid) => !isSpecial(grid));
    const counts = classes.map(() => 0);
    for (const grid of ordinary) {
      const at = classOf(classes, grid.households);
      if (at >= 0) counts[at] = (counts[at] ?? 0) + 1;
    }
    const rows = classes.map((entry, at) =>
      row(swatch(entry.color), labelOf(entry.label_zh, entry.label_en), counts[at] ?? 0),
    );
    if (ordinary.length < grids.length) {
      rows.push(row(swatch(null, 'swatch-special'), t('legend.special'), grids.length - ordinary.length));
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
    const counts = SHARE_CLASSES.map(() => 0);
    let none = 0;
    for (const { residents, residents_share } of shown.grids) {
      const at = residents > 0 ? shareClass(residents_share) : -1;
      if (at < 0) none += 1;
      else counts[at] = (counts[at] ?? 0) + 1;
    }
    const rows = SHARE_CLASSES.map(({ color }, at) =>
      row(swatch(color), shareLabel(at), counts[at] ?? 0),
    ).reverse();
    if (none > 0) rows.push(row(swatch(null, 'swatch-none'), t('legend.noResidents'), none));
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
              ...minutes.map((count) =>
                row(
                  swatch(null, `swatch-line isochrone-${count}`),
                  t('legend.isochrone', { minutes: count }),
                ),
              ),
            ),
          ]
        : []),
    ];
  }

  function components(): HTMLElement[] {
    if (!store.get().layers.components || catalog.majors.size === 0) return [];
    const rows = [...catalog.majors].sort(([a], [b]) => (a < b ? -1 : 1));
    return [
      h('h3', { text: t('legend.components') }),
      h(
        'ul',
        { class: 'legend-rows legend-two' },
        ...rows.map(([major, name]) => row(swatch(majorColor(major), 'swatch-dot'), name)),
      ),
    ];
  }

  function draw(): void {
    const { layers } = store.get();
    const title = h(
      'button',
      {
        type: 'button',
        class: 'legend-title',
        'aria-expanded': String(open),
        'aria-label': t('legend.toggle'),
        on: {
          click: () => {
            open = !open;
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
  onLang(draw);
  draw();
}
