/** Choosing an area: a tree to walk with the arrow keys, and a search over it. */
import { h, icon, renew } from '../../core/dom';
import { number } from '../../core/format';
import type { AreaName } from '../../core/types';
import { nameOf, t } from '../../i18n';
import { ROWS_MOST, rowsOf, treeOf, type TreeRow } from './tree';

export interface AreaChooser {
  element: HTMLElement;
  chosen: () => AreaName | null;
  focus: () => void;
}

/** With this many areas or fewer all of them are open at first. */
const FEW = 60;

export function areaChooser(
  areas: readonly AreaName[],
  first: string | null,
  choose: (area: AreaName) => void,
): AreaChooser {
  const tree = treeOf(areas);
  const open = new Set<string>();
  if (areas.length <= FEW) for (const code of tree.below.keys()) open.add(code);
  else for (const { code } of tree.roots) open.add(code);
  let chosen = areas.find(({ code }) => code === first) ?? null;
  for (
    let code = chosen ? (tree.above.get(chosen.code) ?? null) : null;
    code;
    code = tree.above.get(code) ?? null
  )
    open.add(code);
  let active = chosen?.code ?? tree.roots[0]?.code ?? '';
  let rows: TreeRow[] = [];

  const search = h('input', {
    type: 'search',
    id: 'create-area-search',
    class: 'field',
    placeholder: t('plans.areaSearch'),
    'aria-label': t('plans.areaSearch'),
    autocomplete: 'off',
    on: {
      input: () => draw(),
      keydown: (event) => {
        if (event.key === 'ArrowDown') {
          event.preventDefault();
          focusRow();
        } else if (event.key === 'Enter') {
          event.preventDefault();
          const words = search.value.trim().toLowerCase();
          const match = rows.find(
            ({ area }) => nameOf(area).toLowerCase().includes(words) || area.code === words,
          );
          if (match && words) take(match.area);
        }
      },
    },
  });
  const list = h('ul', { class: 'area-tree', role: 'tree', 'aria-label': t('plans.area') });
  const more = h('p', { class: 'muted area-more' });
  const element = h('div', { class: 'area-chooser' }, search, list, more);

  const rowOf = (code: string): HTMLElement | null => list.querySelector(`[data-code="${code}"]`);
  function focusRow(): void {
    (rowOf(active) ?? list.querySelector<HTMLElement>('[role=treeitem]'))?.focus();
  }

  function take(area: AreaName): void {
    chosen = area;
    active = area.code;
    draw();
    choose(area);
  }

  function turn(code: string, wanted: boolean): void {
    if (wanted) open.add(code);
    else open.delete(code);
    draw();
  }

  function key(event: KeyboardEvent): void {
    const at = rows.findIndex(({ area }) => area.code === active);
    const row = rows[at];
    if (!row) return;
    const go = (code: string | null | undefined): void => {
      if (!code) return;
      active = code;
      draw();
      focusRow();
    };
    if (event.key === 'ArrowDown') go(rows[at + 1]?.area.code);
    else if (event.key === 'ArrowUp') {
      if (at === 0) search.focus();
      else go(rows[at - 1]?.area.code);
    } else if (event.key === 'Home') go(rows[0]?.area.code);
    else if (event.key === 'End') go(rows.at(-1)?.area.code);
    else if (event.key === 'ArrowRight') {
      if (row.open === false) {
        turn(active, true);
        focusRow();
      } else if (row.open) go(rows[at + 1]?.area.code);
    } else if (event.key === 'ArrowLeft') {
      if (row.open && !search.value.trim()) {
        turn(active, false);
        focusRow();
      } else go(row.above);
    } else if (event.key === 'Enter' || event.key === ' ') {
      take(row.area);
      focusRow();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
  list.addEventListener('keydown', key);

  function item({ area, depth, open: shown }: TreeRow): HTMLElement {
    const row = h(
      'li',
      {
        role: 'treeitem',
        class: 'area-row',
        'data-code': area.code,
        'aria-level': depth,
        'aria-expanded': shown === null ? null : String(shown),
        'aria-selected': String(area.code === chosen?.code),
        tabindex: area.code === active ? '0' : '-1',
        on: { click: () => take(area) },
      },
      shown === null
        ? h('span', { class: 'area-twist' })
        : h(
            'span',
            {
              class: `area-twist${shown ? ' is-open' : ''}`,
              'aria-hidden': 'true',
              on: {
                click: (event) => {
                  event.stopPropagation();
                  turn(area.code, !shown);
                },
              },
            },
            icon('right'),
          ),
      h('span', { class: 'area-name', text: nameOf(area) }),
      h('span', { class: 'amount', text: area.code }),
    );
    row.style.paddingLeft = `${(depth - 1) * 16 + 4}px`;
    return row;
  }

  function draw(): void {
    const held = list.contains(document.activeElement);
    rows = rowsOf(tree, open, search.value.trim());
    if (!rows.some(({ area }) => area.code === active)) active = rows[0]?.area.code ?? active;
    renew(list, ...rows.map(item));
    more.textContent =
      rows.length >= ROWS_MOST
        ? t('plans.areaMany', { count: number(areas.length) })
        : rows.length === 0
          ? t('plans.areaNone')
          : '';
    more.hidden = !more.textContent;
    if (held) focusRow();
  }
  draw();
  if (chosen) queueMicrotask(() => rowOf(active)?.scrollIntoView({ block: 'nearest' }));
  return { element, chosen: () => chosen, focus: () => (chosen ? focusRow() : search.focus()) };
}
