/** The table itself, below the map. */
import type { Feature } from 'geojson';
import type { App } from '../core/app';
import { h, icon, iconButton, renew } from '../core/dom';
import { number } from '../core/format';
import { labelOf, lang, onLang, t, tOr } from '../i18n';
import { isNumber } from './conditions';
import { idOf, type Tabling } from './tabling';
import type { LayerAttribute, LayerInfo } from './types';

/** Units that only say what is counted (UCUM's annotations), as the column's name does already. */
const COUNTED = /^(\{.*\}|1)?$/;

export const titleOf = (one: Pick<LayerInfo, 'title_zh' | 'title_en'>): string =>
  labelOf(one.title_zh, one.title_en);

/** A value as people read it. */
function said(attribute: LayerAttribute, value: unknown): string {
  if (value === null || value === undefined || value === '') return '';
  if (typeof value === 'boolean') return t(value ? 'table.yes' : 'table.no');
  if (typeof value === 'number') return number(Math.round(value * 1000) / 1000);
  if (attribute.type === 'date-time') {
    const at = new Date(String(value));
    const locale = lang() === 'zh' ? 'zh-CN' : 'en-GB';
    if (!Number.isNaN(at.getTime())) {
      return new Intl.DateTimeFormat(locale, { dateStyle: 'short', timeStyle: 'short' }).format(at);
    }
  }
  if (attribute.name === 'kind') return tOr(`workbench.kind.${String(value)}`, String(value));
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Put the dock beside the map; it shows with the table tab. */
export function addDock(main: HTMLElement, app: App, tabling: Tabling): void {
  const { state } = tabling;
  const title = h('h2', { id: 'dock-title' });
  const count = h('p', { class: 'muted', role: 'status' });
  const scroller = h('div', { class: 'dock-scroll', tabindex: '0' });
  const close = iconButton('close', '', () => {
    state.set({ open: false });
    document.getElementById('table-open')?.focus();
  });
  const dock = h(
    'section',
    { class: 'dock card', 'aria-labelledby': 'dock-title', hidden: true },
    h('header', { class: 'dock-head' }, title, count, close),
    scroller,
  );
  main.append(dock);
  let body = h('tbody');

  function columns(): LayerAttribute[] {
    const { layer, rows, sort } = state.get();
    const all = layer?.attributes ?? [];
    if (rows.length === 0) return all;
    // Fields nobody filled in say nothing; the one sorted by stays, so that it can be turned.
    return all.filter(
      ({ name }) =>
        name === sort?.name ||
        rows.some(({ properties }) => ![null, undefined, ''].includes(properties?.[name] as null)),
    );
  }

  function head(attribute: LayerAttribute): HTMLElement {
    const { sort } = state.get();
    const mine = sort?.name === attribute.name ? sort : null;
    const name = titleOf(attribute);
    const turn = (): void => {
      state.set({ sort: { name: attribute.name, down: mine ? !mine.down : false } });
    };
    const order = mine ? (mine.down ? 'descending' : 'ascending') : 'none';
    return h(
      'th',
      { scope: 'col', 'aria-sort': order, class: isNumber(attribute) ? 'amount-cell' : '' },
      h(
        'button',
        {
          type: 'button',
          id: `sort-${attribute.name}`,
          class: 'sort',
          'aria-label': t('table.sort', { name }),
          on: { click: turn },
        },
        h('span', { text: COUNTED.test(attribute.unit) ? name : `${name} (${attribute.unit})` }),
        h('span', { class: 'sort-mark', 'aria-hidden': 'true', text: mine ? (mine.down ? '↓' : '↑') : '' }),
      ),
    );
  }

  function line(row: Feature, at: number, shown: readonly LayerAttribute[]): HTMLElement {
    const id = idOf(row);
    const choose = (): void => state.set({ chosen: id });
    return h(
      'tr',
      { 'data-id': id, on: { click: choose } },
      h(
        'td',
        { class: 'row-number' },
        h('button', { type: 'button', class: 'row-button', text: String(at + 1), on: { click: choose } }),
      ),
      ...shown.map((attribute) => {
        const text = said(attribute, row.properties?.[attribute.name]);
        return h('td', {
          class: isNumber(attribute) ? 'amount-cell' : '',
          title: text.length > 24 ? text : null,
          text,
        });
      }),
    );
  }

  function mark(): void {
    const { chosen } = state.get();
    for (const row of body.querySelectorAll('tr')) {
      const here = row.dataset.id === chosen;
      row.classList.toggle('row-chosen', here);
      if (here) {
        row.setAttribute('aria-current', 'true');
        row.scrollIntoView({ block: 'nearest' });
      } else row.removeAttribute('aria-current');
    }
  }

  function draw(): void {
    const { layer, rows, matched, more, loading } = state.get();
    const held = document.activeElement?.id ?? '';
    const [left, top] = [scroller.scrollLeft, scroller.scrollTop];
    title.textContent = layer ? titleOf(layer) : '';
    scroller.setAttribute('aria-label', layer ? t('table.of', { layer: titleOf(layer) }) : '');
    close.setAttribute('aria-label', t('table.close'));
    close.title = t('table.close');
    count.textContent =
      loading && rows.length === 0
        ? t('analysis.waiting')
        : t('table.rows', { shown: number(rows.length), all: number(matched) });
    dock.setAttribute('aria-busy', String(loading));
    const shown = columns();
    body = h('tbody', {}, ...rows.map((row, at) => line(row, at, shown)));
    renew(
      scroller,
      h(
        'table',
        { class: 'data-table' },
        h(
          'thead',
          {},
          h('tr', {}, h('th', { scope: 'col', class: 'row-number', text: '#' }), ...shown.map(head)),
        ),
        body,
      ),
      rows.length === 0 && !loading && h('p', { class: 'calm', text: t('table.empty') }),
      more &&
        h(
          'button',
          {
            type: 'button',
            id: 'table-more',
            class: 'button button-quiet more',
            on: { click: () => void tabling.more() },
          },
          icon('down'),
          t('table.more'),
        ),
    );
    scroller.scrollLeft = left;
    scroller.scrollTop = top;
    if (held) document.getElementById(held)?.focus({ preventScroll: true });
    mark();
  }

  function turn(): void {
    const on = app.store.get().panel === 'table' && state.get().open;
    dock.hidden = !on;
    main.classList.toggle('has-dock', on);
  }
  state.on(['layer', 'rows', 'matched', 'more', 'loading', 'sort'], draw);
  state.on(['layer'], () => {
    scroller.scrollTop = 0;
    scroller.scrollLeft = 0;
  });
  state.on(['chosen'], mark);
  state.on(['open'], turn);
  app.store.on(['panel'], turn);
  onLang(draw);
  draw();
  turn();
}
