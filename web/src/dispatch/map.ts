/** The dispatch map: grids, whose the place is and whose it may be, how sure the place is, open reports. */

import {
  buffer,
  containsExtent,
  createEmpty,
  extend,
  type Extent,
  getCenter,
  getHeight,
  getWidth,
  isEmpty,
} from 'ol/extent';
import Feature from 'ol/Feature';
import LineString from 'ol/geom/LineString';
import Point from 'ol/geom/Point';
import Polygon, { circular } from 'ol/geom/Polygon';
import VectorLayer from 'ol/layer/Vector';
import type OlMap from 'ol/Map';
import type { MapBrowserEvent } from 'ol';
import { fromLonLat, toLonLat } from 'ol/proj';
import VectorSource from 'ol/source/Vector';
import type { App } from '../core/app';
import { shortNameIn } from '../core/names';
import type { AreaName, GridProperties, LonLat } from '../core/types';
import { nameOf, onLang } from '../i18n';
import type { MapParts } from '../map/create';
import { readFeatures } from '../map/viewport';
import * as look from './mapStyles';
import type { DispatchState, DispatchStore } from './state';

export interface DispatchMap {
  grids: VectorSource;
  marked: VectorSource;
  accuracy: VectorSource;
  reports: VectorSource;
  /** Bring the place, its accuracy and what may own it in sight. */
  showPlace(): void;
  /** Bring the grid chosen in sight when it is not. */
  showTarget(): void;
}

export interface MapActions {
  place(point: LonLat): void;
  grid(code: string): void;
  report(id: number): void;
}

/** Put the layers on the map; they follow the state. */
export function addDispatchMap(
  parts: MapParts,
  target: HTMLElement,
  app: App,
  store: DispatchStore,
  actions: MapActions,
): DispatchMap {
  const { map } = parts;
  const grids = new VectorSource({ features: readFeatures(app.catalog.grids) });
  const areas = new VectorSource({ features: readFeatures(app.catalog.areas) });
  const byCode = new Map(grids.getFeatures().map((feature) => [String(feature.get('code')), feature]));
  const marked = new VectorSource();
  const accuracy = new VectorSource();
  const reports = new VectorSource();
  const labels = labelSource(app, grids, areas);

  const add = (source: VectorSource, zIndex: number, style: look.Style): VectorLayer => {
    const layer = new VectorLayer({ source, zIndex, style });
    map.addLayer(layer);
    return layer;
  };
  add(grids, 30, look.gridEdge);
  add(areas, 31, look.areaEdge);
  add(marked, 36, look.marked);
  add(accuracy, 40, look.accuracy);
  const written = new VectorLayer({ source: labels, zIndex: 65, declutter: 'places', style: look.label });
  map.addLayer(written);
  const dots = add(reports, 60, look.report);

  function mark(code: string | null | undefined, role: look.Role): void {
    const known = byCode.get(code ?? '');
    if (!known) return;
    const feature = new Feature(known.getGeometry());
    feature.set('role', role, true);
    feature.set('code', code, true);
    marked.addFeature(feature);
  }

  /** An arrow from the place of the report to the grid that takes it. */
  function arrow(from: LonLat, to: string | null): void {
    const at = byCode.get(to ?? '')?.get('label_point') as LonLat | undefined;
    if (!at) return;
    const feature = new Feature(new LineString([fromLonLat(from), fromLonLat(at)]));
    feature.set('role', 'arrow', true);
    marked.addFeature(feature);
  }

  function drawPlace({ place, choices, target: to, opened }: Readonly<DispatchState>): void {
    marked.clear();
    accuracy.clear();
    const answer = place?.answer ?? null;
    for (const choice of choices) {
      if (choice.owns || choice.system || choice.code === to) continue;
      mark(choice.code, choice.probability !== null ? 'candidate' : 'near');
    }
    const with_ = opened?.report.properties.grid_code;
    mark(answer?.owner?.code, 'owner');
    if (with_ && with_ !== answer?.owner?.code) mark(with_, 'with');
    mark(to, 'target');
    const point = answer?.point;
    if (with_ && to && with_ !== to && point) arrow([point.lon, point.lat], to);
    if (answer?.accuracy) {
      const circle = circular([answer.point.lon, answer.point.lat], answer.accuracy, 72);
      accuracy.addFeature(new Feature(circle.transform('EPSG:4326', 'EPSG:3857')));
    }
    parts.mark(answer ? [answer.point.lon, answer.point.lat] : null);
  }
  store.on(['place', 'choices', 'target', 'opened'], drawPlace);

  function drawReports({ rows, open }: Readonly<DispatchState>): void {
    reports.clear(true);
    reports.addFeatures(
      rows.map((row) => {
        const feature = new Feature(new Point(fromLonLat([row.lon, row.lat])));
        feature.setId(row.id);
        feature.setProperties({ stage: row.stage, owned: row.grid !== null, near: row.near_border }, true);
        feature.set('open', row.id === open, true);
        return feature;
      }),
    );
  }
  store.on(['rows', 'open'], drawReports);

  function showPlace(): void {
    const { place } = store.get();
    const extent: Extent = createEmpty();
    for (const source of [accuracy, marked]) {
      for (const feature of source.getFeatures()) {
        const role = feature.get('role') as look.Role | undefined;
        if (role === undefined || role === 'owner') extend(extent, feature.getGeometry()!.getExtent());
      }
    }
    const point = place?.answer?.point;
    if (point) extend(extent, buffer(new Point(fromLonLat([point.lon, point.lat])).getExtent(), 60));
    if (!isEmpty(extent)) parts.show(extent, 17.6);
  }

  pointing(map, target, store, { grids, dots }, actions);
  function showTarget(): void {
    const extent = byCode
      .get(store.get().target ?? '')
      ?.getGeometry()
      ?.getExtent();
    const point = store.get().place?.answer?.point;
    if (!extent || containsExtent(map.getView().calculateExtent(), extent)) return;
    const whole = extend(
      [...extent],
      point ? new Point(fromLonLat([point.lon, point.lat])).getExtent() : extent,
    );
    parts.show(whole, 17.6);
  }

  return { grids, marked, accuracy, reports, showPlace, showTarget };
}

/** Names of grids, and of communities for where grids are too small for theirs. */
function labelSource(app: App, grids: VectorSource, areas: VectorSource): VectorSource {
  const source = new VectorSource();
  const sizeOf = (feature: Feature): number => {
    const extent = feature.getGeometry()!.getExtent();
    return Math.sqrt(getWidth(extent) * getHeight(extent));
  };
  const sizes = grids.getFeatures().map(sizeOf);
  const usual = [...sizes].sort((one, other) => one - other)[sizes.length >> 1] ?? 0;
  const put = (at: Point, level: 'grid' | 'community', size: number, of: unknown): void => {
    const feature = new Feature(at);
    feature.setProperties({ level, size, usual, of }, true);
    source.addFeature(feature);
  };
  grids.getFeatures().forEach((feature, at) => {
    const point = feature.get('label_point') as LonLat | undefined;
    if (point) put(new Point(fromLonLat(point)), 'grid', sizes[at]!, feature.getProperties());
  });
  for (const feature of areas.getFeatures()) {
    const geometry = feature.getGeometry();
    if (feature.get('level') !== 'community' || !geometry) continue;
    const inside = geometry instanceof Polygon ? geometry.getInteriorPoint() : null;
    const at = inside ?? new Point(getCenter(geometry.getExtent()));
    put(at, 'community', sizeOf(feature), feature.getProperties());
  }
  const say = (): void => {
    for (const feature of source.getFeatures()) {
      const of = feature.get('of') as GridProperties & AreaName;
      const text = feature.get('level') === 'grid' ? shortNameIn(app.catalog, of) : nameOf(of);
      feature.set('text', text, true);
    }
    source.changed();
  };
  onLang(say);
  say();
  return source;
}

/** Clicks: a report opens; while a report is being moved a grid is chosen; else the place is asked about. */
function pointing(
  map: OlMap,
  target: HTMLElement,
  store: DispatchStore,
  { grids, dots }: { grids: VectorSource; dots: VectorLayer },
  actions: MapActions,
): void {
  const gridAt = (coordinate: number[]): string | null =>
    grids
      .getFeaturesAtCoordinate(coordinate)
      .map((feature) => String(feature.get('code')))
      .sort()[0] ?? null;

  function choose(coordinate: number[], pixel: number[] | null): void {
    if (store.get().moving) {
      const code = gridAt(coordinate);
      if (code) actions.grid(code);
      return;
    }
    const hit =
      pixel &&
      map.forEachFeatureAtPixel(pixel, (feature) => feature, {
        layerFilter: (layer) => layer === dots,
        hitTolerance: 4,
      });
    if (hit) actions.report(Number(hit.getId()));
    else actions.place(toLonLat(coordinate) as LonLat);
  }
  map.on('singleclick', (event: MapBrowserEvent) => choose(event.coordinate, event.pixel));
  map.on('pointermove', (event: MapBrowserEvent) => {
    if (event.dragging) return;
    const over = map.hasFeatureAtPixel(event.pixel, {
      layerFilter: (layer) => layer === dots,
      hitTolerance: 4,
    });
    target.classList.toggle('can-pick', over && !store.get().moving);
  });
  target.addEventListener('keydown', (event) => {
    const center = map.getView().getCenter();
    if (event.key !== 'Enter' || event.target !== target || !center) return;
    event.preventDefault();
    choose(center, null);
  });
}
