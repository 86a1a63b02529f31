/** The status line: what is published, how much of it, where the pointer is, whether anything loads. */
import type { App } from '../core/app';
import { onBusy } from '../core/client';
import { h, renew } from '../core/dom';
import { date, number } from '../core/format';
import { gridTitle } from '../core/names';
import type { LonLat } from '../core/types';
import { onLang, t } from '../i18n';

const SHOW_AFTER_MS = 120;

export interface StatusBar {
  /** Tell where the pointer is and over which grid. */
  pointer(point: LonLat | null, code: string | null): void;
}

/** Fill the status line and drive the thin bar at the top of the map. */
export function createStatusBar(host: HTMLElement, progress: HTMLElement, app: App): StatusBar {
  const { overview } = app.catalog;
  const pointer = h('span', { class: 'status-pointer', 'aria-hidden': 'true' });
  const under = h('span', { class: 'status-under', 'aria-hidden': 'true' });
  const loading = h('span', { class: 'status-loading', role: 'status' });
  const counts = ['grids', 'households', 'population', 'buildings', 'components'] as const;

  function draw(): void {
    const { generation } = overview;
    const published = generation
      ? t('status.generation', { id: generation.id, date: date(generation.published_at) })
      : t('status.unpublished');
    renew(
      host,
      h('span', { class: 'status-generation', text: published, title: generation?.note ?? '' }),
      h(
        'span',
        { class: 'status-counts' },
        ...counts.map((key) =>
          h('span', { text: t(`status.${key}`, { count: number(overview.counts[key]) }) }),
        ),
      ),
      loading,
      under,
      pointer,
      overview.attribution ? h('span', { class: 'status-credit', text: overview.attribution }) : null,
    );
    loading.textContent = '';
  }

  let timer: number | undefined;
  onBusy((busy) => {
    window.clearTimeout(timer);
    // A short wait needs no word; showing one would only flicker.
    timer = window.setTimeout(
      () => {
        progress.classList.toggle('running', busy > 0);
        loading.textContent = busy > 0 ? t('status.loading') : '';
      },
      busy > 0 ? SHOW_AFTER_MS : 0,
    );
  });
  onLang(draw);
  draw();
  return {
    pointer(point, code) {
      const grid = code ? app.catalog.gridByCode.get(code) : undefined;
      under.textContent = grid
        ? `${gridTitle(app.catalog, grid.code, grid.name)} · ${t('unit.households', { count: number(grid.households) })}`
        : '';
      pointer.textContent = point ? `${point[0].toFixed(5)}, ${point[1].toFixed(5)}` : '';
      pointer.title = t('map.pointer');
    },
  };
}
