/** The surface of reports and the hot spots on the map. */
import ImageLayer from 'ol/layer/Image';
import VectorLayer from 'ol/layer/Vector';
import type OlMap from 'ol/Map';
import ImageStatic from 'ol/source/ImageStatic';
import type VectorSource from 'ol/source/Vector';
import Fill from 'ol/style/Fill';
import Style from 'ol/style/Style';
import type { App, Theme } from '../core/app';
import { h } from '../core/dom';
import { number } from '../core/format';
import type { Store } from '../core/store';
import { t } from '../i18n';
import { hatch } from '../map/pattern';
import { hatched, row, swatch } from '../ui/legend';
import type { HeatState } from './state';
import { type Spot, SPOTS } from './types';

const COLORS: Record<Spot, string> = {
  hot99: '#a50f26',
  hot95: '#de5a47',
  hot90: '#f4b49a',
  none: '#f0ede6',
  cold90: '#a9cbe4',
  cold95: '#5794c5',
  cold99: '#1f5a99',
  not_rated: '#8f979f',
};

/** Add the layers; they show while `on` tells so. */
export function addHeatLayers(
  map: OlMap,
  app: App,
  heat: Store<HeatState>,
  grids: VectorSource,
): { show: (on: boolean) => void } {
  let shown = false;
  // Two take turns: the one shown stays until the next picture is there.
  const pictures = [0, 1].map(() => new ImageLayer({ zIndex: 12, visible: false }));
  let front = 0;
  let spots = new Map<string, Spot>();
  const styles = Object.fromEntries(
    SPOTS.map((spot) => [
      spot,
      new Style({ fill: new Fill({ color: spot === 'not_rated' ? hatch(COLORS[spot]) : COLORS[spot] }) }),
    ]),
  ) as Record<Spot, Style>;
  const areas = new VectorLayer({
    source: grids,
    zIndex: 12,
    visible: false,
    opacity: 0.74,
    style: (feature) => styles[spots.get(String(feature.get('code'))) ?? 'none'],
  });
  for (const layer of [...pictures, areas]) map.addLayer(layer);

  function turn(): void {
    const { view } = heat.get();
    pictures.forEach((layer, at) => layer.setVisible(shown && view === 'surface' && at === front));
    areas.setVisible(shown && view === 'spots');
  }

  function place(): void {
    const { picture } = heat.get();
    if (!picture) return;
    const back = 1 - front;
    const source = new ImageStatic({
      url: picture.url,
      imageExtent: picture.extent,
      projection: 'EPSG:3857',
      interpolate: true,
    });
    source.once('imageloadend', () => {
      if (heat.get().picture !== picture) return;
      front = back;
      // A layer draws only while it is visible: both are for a moment.
      window.setTimeout(turn, 120);
    });
    const layer = pictures[back];
    layer?.setSource(source);
    layer?.setVisible(shown && heat.get().view === 'surface');
  }

  function legend(): HTMLElement[] {
    return heat.get().view === 'surface' ? surfaceLegend(heat.get()) : spotsLegend(heat.get(), grids);
  }

  function tell(): void {
    const theme: Theme | null = shown ? { legend } : null;
    if (theme || app.store.get().theme) app.store.set({ theme });
  }

  heat.on(['picture'], place);
  heat.on(['spots'], ({ spots: answer }) => {
    spots = new Map((answer?.rows ?? []).map(({ grid, spot }) => [grid, spot]));
    areas.changed();
  });
  heat.on(['view'], turn);
  heat.on(['view', 'surface', 'frames', 'spots', 'frame'], tell);
  return {
    show(on) {
      if (on === shown) return;
      shown = on;
      turn();
      tell();
    },
  };
}

function surfaceLegend({ surface, frames, frame }: Readonly<HeatState>): HTMLElement[] {
  const scale = frame === null ? surface : frames;
  if (!scale)
    return [
      h('h3', { text: t('analysis.legend.surface') }),
      h('p', { class: 'muted', text: t('analysis.waiting') }),
    ];
  const rows = scale.breaks.map((low, at) => {
    const high = scale.breaks[at + 1];
    const label =
      high === undefined
        ? t('analysis.legend.above', { low: number(low) })
        : `${number(low)}–${number(high)}`;
    return row(swatch(scale.colors[at] ?? null), label);
  });
  return [
    h('h3', { text: t('analysis.legend.surface') }, h('small', { text: t('analysis.legend.unit') })),
    h('ul', { class: 'legend-rows', 'data-legend': 'surface' }, ...rows.reverse()),
    h('p', {
      class: 'legend-note',
      text: t('analysis.legend.kernel', { metres: number(Math.round(scale.bandwidth)) }),
    }),
  ];
}

function spotsLegend({ spots }: Readonly<HeatState>, grids: VectorSource): HTMLElement[] {
  if (!spots)
    return [
      h('h3', { text: t('analysis.legend.spots') }),
      h('p', { class: 'muted', text: t('analysis.waiting') }),
    ];
  const known = new Set(grids.getFeatures().map((feature) => String(feature.get('code'))));
  const counts = new Map<Spot, number>();
  for (const { grid, spot } of spots.rows) {
    if (known.has(grid)) counts.set(spot, (counts.get(spot) ?? 0) + 1);
  }
  const rows = SPOTS.filter((spot) => spot !== 'not_rated' || counts.has(spot)).map((spot) =>
    row(
      spot === 'not_rated' ? hatched(COLORS[spot]) : swatch(COLORS[spot]),
      t(`analysis.spot.${spot}`),
      counts.get(spot) ?? 0,
    ),
  );
  const rate = spots.mean_rate === null ? '–' : number(Math.round(spots.mean_rate * 10) / 10);
  return [
    h('h3', { text: t('analysis.legend.spots') }),
    h('ul', { class: 'legend-rows', 'data-legend': 'spots' }, ...rows),
    h('p', { class: 'legend-note', text: t('analysis.legend.rate', { rate }) }),
    h('p', {
      class: 'legend-note',
      text: spots.reason
        ? t('analysis.legend.reason')
        : t('analysis.legend.test', { permutations: number(spots.permutations) }),
    }),
  ];
}
