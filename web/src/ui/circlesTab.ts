/** Service circles: pick a kind of facility, see who reaches it. */
import type { App } from '../core/app';
import { service } from '../core/client';
import { h, renew } from '../core/dom';
import { number, percent } from '../core/format';
import type { Asking } from '../core/selecting';
import type { CircleCategory, CirclesSummary } from '../core/types';
import { labelOf, t } from '../i18n';
import { glyphElement } from '../map/facilities';
import { byTier } from './layersTab';
import type { Tab } from './side';

const share = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);

function meter(value: number | null, label: string): HTMLElement {
  const bar = h('span', { class: 'meter-fill' });
  bar.style.width = `${Math.round((value ?? 0) * 1000) / 10}%`;
  return h(
    'div',
    { class: 'meter-row' },
    h('span', { class: 'meter-label', text: label }),
    h('span', { class: 'meter' }, bar),
    h('span', { class: 'meter-value', text: value === null ? '–' : percent(value) }),
  );
}

export function circlesTab(app: App, ask: Asking, onError: (error: unknown) => void): Tab {
  const { store, catalog } = app;
  let summary: CirclesSummary | null = null;
  let asked = false;
  let host: HTMLElement | null = null;

  async function read(): Promise<void> {
    if (asked || !catalog.overview.circles) return;
    asked = true;
    try {
      summary = await service.circles();
      draw();
    } catch (error) {
      asked = false;
      onError(error);
    }
  }

  function select(): HTMLElement {
    const list = h(
      'select',
      { id: 'category', class: 'select', on: { change: () => void ask.category(list.value || null) } },
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

  function card(row: CircleCategory): HTMLElement {
    const blind = row.residents_assessed - row.residents_covered;
    const unassessed = row.buildings_total - row.buildings_assessed;
    const toggle = h('input', {
      type: 'checkbox',
      id: 'isochrones',
      role: 'switch',
      class: 'switch',
      on: { change: () => store.set({ isochrones: toggle.checked }) },
    });
    toggle.checked = store.get().isochrones;
    return h(
      'div',
      { class: 'circle-card' },
      h('p', {
        class: 'muted',
        text: t('circles.standard', { minutes: row.minutes, metres: number(row.metres) }),
      }),
      meter(share(row.residents_covered, row.residents_assessed), t('circles.residents')),
      meter(share(row.buildings_covered, row.buildings_assessed), t('circles.buildings')),
      h(
        'ul',
        { class: 'facts' },
        h('li', { text: t('circles.facilities', { count: number(row.facilities) }) }),
        h('li', { text: t('circles.blind', { count: number(Math.max(0, blind)) }) }),
        unassessed > 0 && h('li', { text: t('circles.unassessed', { count: number(unassessed) }) }),
      ),
      h(
        'div',
        { class: 'layer-row' },
        h('label', { for: 'isochrones', class: 'layer-name', text: t('circles.polygons') }),
        toggle,
      ),
    );
  }

  /** All categories, the worst covered first: where to look. */
  function ranking(rows: readonly CircleCategory[]): HTMLElement {
    const { category } = store.get();
    const sorted = rows
      .map((row) => ({ row, value: share(row.residents_covered, row.residents_assessed) }))
      .sort((a, b) => (a.value ?? 2) - (b.value ?? 2));
    return h(
      'div',
      { class: 'ranking' },
      h('h2', { text: t('circles.ranking') }),
      ...sorted.map(({ row, value }) => {
        const known = catalog.categories.find((entry) => entry.category === row.category);
        const bar = h('span', { class: 'meter-fill' });
        bar.style.width = `${Math.round((value ?? 0) * 1000) / 10}%`;
        return h(
          'button',
          {
            type: 'button',
            class: 'rank',
            'data-category': row.category,
            'aria-pressed': String(row.category === category),
            on: { click: () => void ask.category(row.category === category ? null : row.category) },
          },
          known ? glyphElement(known) : null,
          h('span', { class: 'rank-name', text: labelOf(row.name_zh, row.name_en) }),
          h('span', { class: 'meter' }, bar),
          h('span', { class: 'meter-value', text: value === null ? '–' : percent(value) }),
        );
      }),
    );
  }

  function draw(): void {
    if (!host) return;
    if (!catalog.overview.circles) {
      renew(host, h('p', { class: 'muted pad', text: t('circles.absent') }));
      return;
    }
    const held = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    const back =
      held && host.contains(held)
        ? held.id
          ? `#${held.id}`
          : `[data-category="${held.dataset.category}"]`
        : null;
    const row = summary?.categories.find(({ category }) => category === store.get().category);
    renew(
      host,
      h('p', { class: 'muted', text: t('circles.intro') }),
      h('label', { class: 'field-label', for: 'category', text: t('circles.choose') }),
      select(),
      row && card(row),
      summary && ranking(summary.categories),
    );
    // Redrawing must not throw the keyboard out of the panel.
    if (back) host.querySelector<HTMLElement>(back)?.focus();
  }
  store.on(['category', 'isochrones'], draw);
  store.on(['panel'], ({ panel }) => {
    if (panel === 'circles') void read();
  });
  store.on(['category'], () => void read());

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
