/** Rows of the table on the map, and the borders of an earlier generation. */
import { buffer, isEmpty } from 'ol/extent';
import type Feature from 'ol/Feature';
import VectorLayer from 'ol/layer/Vector';
import type OlMap from 'ol/Map';
import { transformExtent } from 'ol/proj';
import VectorSource from 'ol/source/Vector';
import CircleStyle from 'ol/style/Circle';
import Fill from 'ol/style/Fill';
import Stroke from 'ol/style/Stroke';
import Style from 'ol/style/Style';
import type { App } from '../core/app';
import { getJson, isAbort } from '../core/client';
import type { Bbox } from '../core/types';
import { readFeatures } from '../map/viewport';
import type { Tabling } from './tabling';
import type { ItemsPage } from './types';

const ROW = '#6b2fa0';
const CHOSEN = '#e0007a';
/** How far beside a feature a click still means it, in pixels. */
const REACH = 9;
const PAST_PAGE = 5000;

export interface TableLayers {
  rows: VectorSource;
  past: VectorSource;
}

export function addTableLayers(
  map: OlMap,
  app: App,
  tabling: Tabling,
  show: (extent: number[], zoom?: number) => void,
  onError: (error: unknown) => void,
): TableLayers {
  const { state } = tabling;
  const source = new VectorSource();
  const stroke = (color: string, width: number): Stroke => new Stroke({ color, width });
  const dot = (color: string, radius: number): CircleStyle =>
    new CircleStyle({ radius, fill: new Fill({ color }), stroke: stroke('#fff', 1.6) });
  const plain = new Style({
    stroke: stroke(ROW, 1.4),
    fill: new Fill({ color: 'rgba(107, 47, 160, 0.07)' }),
    image: dot(ROW, 4.5),
  });
  const strong = [
    new Style({ stroke: stroke('#fff', 7), zIndex: 1 }),
    new Style({
      stroke: stroke(CHOSEN, 3.4),
      fill: new Fill({ color: 'rgba(224, 0, 122, 0.12)' }),
      image: dot(CHOSEN, 8),
      zIndex: 2,
    }),
  ];
  const layer = new VectorLayer({
    source,
    zIndex: 45,
    style: (feature) => (String(feature.getId()) === state.get().chosen ? strong : plain),
  });
  const past = new VectorSource();
  const borders = new VectorLayer({
    source: past,
    zIndex: 38,
    style: [
      new Style({ stroke: stroke('rgba(255, 255, 255, 0.9)', 4.5) }),
      new Style({ stroke: new Stroke({ color: ROW, width: 2, lineDash: [7, 5] }) }),
    ],
  });
  map.addLayer(layer);
  map.addLayer(borders);

  const on = (): boolean => app.store.get().panel === 'table';
  const turn = (): void => {
    layer.setVisible(on() && state.get().open);
    borders.setVisible(on());
  };
  app.store.on(['panel'], turn);
  state.on(['open'], turn);
  turn();

  state.on(['rows'], ({ rows }) => {
    source.clear(true);
    source.addFeatures(readFeatures({ features: rows.filter(({ geometry }) => geometry) }));
  });
  state.on(['chosen'], () => layer.changed());

  const areal = (): boolean => state.get().layer?.shape === 'polygon';
  const boxAt = (coordinate: number[]): Bbox => {
    const reach = (areal() ? 0.01 : REACH) * (map.getView().getResolution() ?? 1);
    return transformExtent(buffer([...coordinate, ...coordinate], reach), 'EPSG:3857', 'EPSG:4326') as Bbox;
  };
  map.on('singleclick', ({ coordinate, pixel }) => {
    if (!on() || !state.get().open || !state.get().layer) return;
    // What lies under the pointer comes before what lies near it: a border must not lend a neighbour the click.
    const near = (hitTolerance: number): Feature | undefined =>
      (map.getFeaturesAtPixel(pixel, { layerFilter: (one) => one === layer, hitTolerance }) as Feature[])[0];
    const hit = near(0) ?? (areal() ? undefined : near(REACH));
    const id = hit?.getId();
    if (id !== undefined) state.set({ chosen: String(id) });
    else void tabling.at(boxAt(coordinate));
  });

  let asked: AbortController | null = null;
  state.on(['past'], ({ past: generation }) => {
    asked?.abort();
    past.clear();
    if (!generation) return;
    const mine = new AbortController();
    asked = mine;
    const url = new URL('ogc/collections/grids/items', document.baseURI);
    url.searchParams.set('limit', String(PAST_PAGE));
    url.searchParams.set('datetime', generation.published_at);
    getJson<ItemsPage>(url, mine.signal).then(
      (page) => {
        if (!mine.signal.aborted) past.addFeatures(readFeatures(page));
      },
      (error: unknown) => {
        if (!isAbort(error)) onError(error);
      },
    );
  });

  state.on(['chosen', 'rows'], ({ chosen }) => {
    const extent = chosen === null ? null : source.getFeatureById(chosen)?.getGeometry()?.getExtent();
    if (!extent || isEmpty(extent) || shownLast === chosen) return;
    shownLast = chosen;
    show(extent, 17);
  });
  let shownLast: string | null = null;
  return { rows: source, past };
}
