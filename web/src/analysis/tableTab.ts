/** 数据表: which layer, which rows, take them away; and the grids of an earlier generation. */
import type { App } from '../core/app';
import { h, icon, iconButton, keepFocus, renew } from '../core/dom';
import { date, number } from '../core/format';
import { t } from '../i18n';
import { switchRow } from '../ui/parts';
import type { Tab } from '../ui/side';
import { type Condition, isNumber, isTime, type Operator, operatorsOf } from './conditions';
import { titleOf } from './dock';
import type { Tabling } from './tabling';
import type { TableLayers } from './tableLayers';
import type { LayerInfo } from './types';

const GROUPS: Record<string, readonly string[]> = {
  places: ['grids', 'areas', 'units'],
  things: ['reports', 'components', 'facilities', 'addresses'],
  circles: ['circles', 'blind_spots'],
  base: ['buildings', 'streets', 'water', 'walls', 'barriers'],
};
const FORMATS: Record<string, string> = {
  gpkg: 'GeoPackage',
  parquet: 'GeoParquet',
  fgb: 'FlatGeobuf',
  shp: 'Shapefile',
  geojson: 'GeoJSON',
  csv: 'CSV',
  kml: 'KML',
};
const groupOf = ({ name }: LayerInfo): string =>
  Object.keys(GROUPS).find((group) => GROUPS[group]?.includes(name)) ?? 'other';

export function tableTab(app: App, tabling: Tabling, layers: TableLayers): Tab {
  const { state } = tabling;
  let host: HTMLElement | null = null;
  const draft = { attribute: '', operator: 'has' as Operator, value: '' };

  function layerChoice(): HTMLElement {
    const { layers: offered, layer } = state.get();
    const list = h(
      'select',
      {
        id: 'table-layer',
        class: 'select',
        on: {
          change: () => {
            const chosen = offered.find(({ name }) => name === list.value) ?? null;
            draft.attribute = '';
            state.set({ layer: chosen, conditions: [], sort: null, rows: [], chosen: null, open: true });
          },
        },
      },
      ...['places', 'things', 'circles', 'base', 'other'].map((group) => {
        const rows = offered.filter((one) => groupOf(one) === group);
        if (rows.length === 0) return null;
        const label = t(`table.group.${group}` as Parameters<typeof t>[0]);
        return h(
          'optgroup',
          { label },
          ...rows.map((one) => h('option', { value: one.name, text: titleOf(one) })),
        );
      }),
    );
    list.value = layer?.name ?? '';
    return list;
  }

  function valueField(layer: LayerInfo): HTMLElement {
    const attribute = layer.attributes.find(({ name }) => name === draft.attribute) ?? layer.attributes[0];
    const add = (): void => {
      if (!attribute) return;
      const condition: Condition = { attribute, operator: draft.operator, value: draft.value };
      draft.value = '';
      state.set({ conditions: [...state.get().conditions, condition] });
    };
    const fields = h(
      'select',
      {
        id: 'filter-field',
        class: 'select',
        'aria-label': t('table.filter.attribute'),
        on: {
          change: () => {
            draft.attribute = fields.value;
            draft.value = '';
            draw();
          },
        },
      },
      ...layer.attributes.map((one) => h('option', { value: one.name, text: titleOf(one) })),
    );
    if (!attribute) return h('p');
    fields.value = attribute.name;
    const operators = operatorsOf(attribute);
    if (!operators.includes(draft.operator)) draft.operator = operators[0] ?? 'eq';
    const operator = h(
      'select',
      {
        id: 'filter-operator',
        class: 'select',
        'aria-label': t('table.filter.operator'),
        on: {
          change: () => {
            draft.operator = operator.value as Operator;
            draw();
          },
        },
      },
      ...operators.map((value) => h('option', { value, text: t(`table.op.${value}`) })),
    );
    operator.value = draft.operator;
    const label = { id: 'filter-value', 'aria-label': t('table.filter.value') };
    let value: HTMLInputElement | HTMLSelectElement;
    if (attribute.type === 'boolean') {
      value = h(
        'select',
        { ...label, class: 'select' },
        h('option', { value: 'true', text: t('table.yes') }),
        h('option', { value: 'false', text: t('table.no') }),
      );
      value.value = draft.value || 'true';
    } else {
      value = h('input', {
        ...label,
        class: 'field',
        type: isTime(attribute) ? 'date' : 'text',
        inputmode: isNumber(attribute) ? 'decimal' : null,
      });
      value.value = draft.value;
    }
    draft.value = value.value;
    value.addEventListener('input', () => {
      draft.value = value.value;
    });
    const form = h(
      'form',
      { class: 'filter-form' },
      fields,
      operator,
      draft.operator !== 'empty' && value,
      h(
        'button',
        { type: 'submit', id: 'filter-add', class: 'button button-quiet' },
        icon('plus'),
        t('table.filter.add'),
      ),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      add();
    });
    return form;
  }

  function conditions(): HTMLElement | null {
    const { conditions: rows } = state.get();
    if (rows.length === 0) return null;
    return h(
      'ul',
      { class: 'conditions' },
      ...rows.map((one, at) => {
        const shown =
          one.attribute.type === 'boolean' ? t(one.value === 'true' ? 'table.yes' : 'table.no') : one.value;
        const text =
          `${titleOf(one.attribute)} ${t(`table.op.${one.operator}`)} ${one.operator === 'empty' ? '' : shown}`.trim();
        return h(
          'li',
          { class: 'condition' },
          h('span', { text }),
          iconButton('close', t('table.filter.remove', { name: text }), () =>
            state.set({ conditions: rows.filter((_, k) => k !== at) }),
          ),
        );
      }),
    );
  }

  function downloads(layer: LayerInfo): HTMLElement {
    return h(
      'section',
      { class: 'block' },
      h('h2', { text: t('table.download') }, h('small', { text: t('table.download.about') })),
      h(
        'ul',
        { class: 'formats' },
        ...Object.keys(layer.downloads)
          .filter((format) => FORMATS[format])
          .map((format) => {
            const link = h(
              'a',
              { class: 'format', href: tabling.download(format), download: '', 'data-format': format },
              icon('download'),
              FORMATS[format],
            );
            // The view may have moved since the link was drawn.
            link.addEventListener('pointerdown', () => (link.href = tabling.download(format)));
            link.addEventListener('focus', () => (link.href = tabling.download(format)));
            return h('li', {}, link);
          }),
      ),
    );
  }

  function generations(): HTMLElement | null {
    const { generations: rows, past } = state.get();
    if (rows.length < 2) return null;
    const now = rows.at(-1);
    const at = past ? rows.findIndex(({ id }) => id === past.id) : rows.length - 1;
    const one = rows[at];
    const words =
      one && one !== now
        ? t('generation.one', { id: one.id, date: date(one.published_at) })
        : t('generation.now', { id: now?.id ?? '' });
    const slider = h('input', {
      type: 'range',
      id: 'generation',
      class: 'range',
      min: 0,
      max: rows.length - 1,
      step: 1,
      value: at,
      'aria-label': t('generation.range'),
      'aria-valuetext': words,
      on: {
        input: () => {
          const chosen = rows[Number(slider.value)] ?? null;
          state.set({ past: chosen === now ? null : chosen });
        },
      },
    });
    slider.value = String(at);
    const drawn = layers.past.getFeatures().length;
    return h(
      'section',
      { class: 'block', 'data-list': 'generations' },
      h('h2', { text: t('generation.title') }),
      slider,
      h(
        'p',
        { class: 'time-told', role: 'status' },
        h('span', { text: words }),
        past && drawn > 0 && h('b', { text: t('generation.grids', { count: number(drawn) }) }),
      ),
      h('p', { class: 'muted', text: t('generation.about') }),
      past &&
        h('button', {
          type: 'button',
          id: 'generation-back',
          class: 'button button-quiet',
          text: t('generation.back'),
          on: { click: () => state.set({ past: null }) },
        }),
    );
  }

  function draw(): void {
    const body = host;
    if (!body) return;
    const { layer, inView, open } = state.get();
    keepFocus(body, () =>
      renew(
        body,
        h('p', { class: 'muted', text: t('table.intro') }),
        h('label', { for: 'table-layer', class: 'field-label', text: t('table.layer') }),
        layerChoice(),
        !open &&
          h(
            'button',
            {
              type: 'button',
              id: 'table-open',
              class: 'button button-quiet',
              on: { click: () => state.set({ open: true }) },
            },
            icon('table'),
            t('table.show'),
          ),
        switchRow('table-view', t('table.view'), inView, (on) => state.set({ inView: on })),
        layer && h('p', { class: 'field-label', text: t('table.filter') }),
        conditions(),
        layer && valueField(layer),
        layer && downloads(layer),
        generations(),
      ),
    );
  }
  state.on(['layers', 'layer', 'inView', 'open', 'conditions', 'generations', 'past'], draw);
  layers.past.on('change', () => {
    if (app.store.get().panel === 'table') draw();
  });

  return {
    key: 'table',
    icon: 'table',
    label: 'panel.table',
    render(body) {
      host = body;
      draw();
    },
  };
}
