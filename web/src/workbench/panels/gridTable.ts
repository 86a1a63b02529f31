/** All grids in a table that only holds the rows in sight; linked with the map both ways. */
import { h, renew } from '../../core/dom';
import { number } from '../../core/format';
import { onLang, t } from '../../i18n';
import { kindName } from '../names';
import { bandBar, stateOf } from './figures';
import { toolIcon } from '../tools/icons';
import type { Bench } from '../tools/types';

const ROW = 34;
const SPARE = 6;
const COLUMNS = ['name', 'households', 'population', 'components', 'reports'] as const;
type Column = (typeof COLUMNS)[number];

export interface GridTable {
  element: HTMLElement;
}

export function createGridTable(bench: Bench): GridTable {
  const { model, ui } = bench;
  let sort: { by: Column; down: boolean } = { by: 'name', down: false };
  let order: number[] = [];
  const head = h('div', { class: 'table-head', role: 'row' });
  const space = h('div', { class: 'table-space', role: 'presentation' });
  const body = h('div', { class: 'table-body', role: 'rowgroup', tabindex: '0' }, space);
  const element = h('div', { class: 'grid-table', role: 'grid' }, h('div', { role: 'rowgroup' }, head), body);

  const value = (grid: number, by: Column): number => {
    const figures = model.figures(grid);
    return by === 'reports' ? figures.reportsPerMonth : by === 'name' ? 0 : figures[by];
  };

  function arrange(): void {
    const grids = [...model.gridsOf(bench.level())];
    if (sort.by !== 'name') {
      const values = new Map(grids.map((grid) => [grid, value(grid, sort.by)]));
      grids.sort((a, b) => values.get(a)! - values.get(b)!);
    }
    order = sort.down ? grids.reverse() : grids;
  }

  function drawHead(): void {
    renew(
      head,
      ...COLUMNS.map((by) =>
        h(
          'div',
          {
            class: `cell cell-${by}`,
            role: 'columnheader',
            'aria-sort': sort.by === by ? (sort.down ? 'descending' : 'ascending') : 'none',
          },
          h('button', {
            type: 'button',
            id: `sort-${by}`,
            class: 'sort',
            text: `${t(`workbench.column.${by}`)}${sort.by === by ? (sort.down ? ' ↓' : ' ↑') : ''}`,
            on: {
              click: () => {
                sort = { by, down: sort.by === by ? !sort.down : by !== 'name' };
                arrange();
                drawHead();
                drawRows();
                document.getElementById(`sort-${by}`)?.focus();
              },
            },
          }),
        ),
      ),
    );
  }

  function row(grid: number, at: number): HTMLElement {
    const figures = model.figures(grid);
    const band = model.bandOf(grid);
    const swatch = h('span', { class: 'swatch', 'aria-hidden': 'true' });
    swatch.style.background = bench.scene.fill(grid);
    const cells = h(
      'div',
      {
        class: `table-row ${grid === ui.get().current ? 'is-current' : ''}`,
        role: 'row',
        id: `grid-row-${grid}`,
        'aria-rowindex': at + 2,
        'aria-selected': grid === ui.get().current ? 'true' : 'false',
        'data-grid': grid,
      },
      h(
        'div',
        { class: 'cell cell-name', role: 'gridcell', title: bench.longName(grid) },
        swatch,
        h('span', { class: 'cell-text', text: labelOf(grid) }),
        model.grids[grid]?.locked && toolIcon('lock'),
      ),
      h(
        'div',
        { class: `cell cell-households ${stateOf(figures.households, band)}`, role: 'gridcell' },
        h('span', { text: number(figures.households) }),
        band && bandBar(figures.households, band),
      ),
      h('div', { class: 'cell cell-population', role: 'gridcell', text: number(figures.population) }),
      h('div', { class: 'cell cell-components', role: 'gridcell', text: number(figures.components) }),
      h('div', {
        class: 'cell cell-reports',
        role: 'gridcell',
        text: number(Math.round(figures.reportsPerMonth * 10) / 10),
      }),
    );
    cells.style.top = `${at * ROW}px`;
    return cells;
  }

  function labelOf(grid: number): string {
    const { communities } = model.topology;
    const entry = model.grids[grid];
    const kind = kindName(model, grid);
    if (communities.length < 2) return kind ? `${bench.shortName(grid)} ${kind}` : bench.longName(grid);
    const home = communities.find(({ code }) => code === entry?.community)?.name ?? '';
    return `${home.replace(/(社区|村)$/, '')} ${bench.shortName(grid)} ${kind}`.trim();
  }

  function drawRows(): void {
    const first = Math.max(0, Math.floor(body.scrollTop / ROW) - SPARE);
    const last = Math.min(
      order.length,
      Math.ceil((body.scrollTop + (body.clientHeight || 600)) / ROW) + SPARE,
    );
    space.style.height = `${order.length * ROW}px`;
    element.setAttribute('aria-rowcount', String(order.length + 1));
    element.setAttribute('aria-label', t('workbench.table'));
    renew(space, ...order.slice(first, last).map((grid, at) => row(grid, first + at)));
  }

  /** Bring the current grid's row into sight. */
  function reveal(): void {
    const at = order.indexOf(ui.get().current);
    if (at < 0) return;
    const top = at * ROW;
    if (top < body.scrollTop) body.scrollTop = top;
    else if (top + ROW > body.scrollTop + body.clientHeight) body.scrollTop = top + ROW - body.clientHeight;
  }

  let waiting = 0;
  const later = (again: boolean): void => {
    if (again) arrange();
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(drawRows);
  };
  body.addEventListener('scroll', () => later(false), { passive: true });
  space.addEventListener('click', (event) => {
    const target = (event.target as HTMLElement).closest<HTMLElement>('[data-grid]');
    if (!target) return;
    const grid = Number(target.dataset['grid']);
    ui.set({ current: grid });
    bench.showGrid(grid);
  });
  element.addEventListener('keydown', (event) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step && event.target === body) {
      event.preventDefault();
      const at = order.indexOf(ui.get().current);
      const next = order[Math.max(0, Math.min(order.length - 1, at < 0 ? 0 : at + step))];
      if (next === undefined) return;
      ui.set({ current: next });
      bench.say(t('workbench.picked', { name: bench.longName(next) }));
    } else if (event.key === 'Enter' && event.target === body) bench.showGrid(ui.get().current);
  });
  new ResizeObserver(() => later(false)).observe(body);
  ui.on(['revision', 'level', 'look'], () => later(true));
  ui.on(['current'], () => {
    reveal();
    later(false);
  });
  onLang(() => {
    drawHead();
    later(false);
  });
  arrange();
  drawHead();
  drawRows();
  return { element };
}
