/** The map plans are drawn on: the service's own streets and water below, grids above, one look on every page. */
import ScaleLine from 'ol/control/ScaleLine';
import type { Extent } from 'ol/extent';
import { createEmpty, extend, isEmpty } from 'ol/extent';
import type Feature from 'ol/Feature';
import GeoJSON from 'ol/format/GeoJSON';
import TileLayer from 'ol/layer/Tile';
import VectorLayer from 'ol/layer/Vector';
import OlMap from 'ol/Map';
import TileWMS from 'ol/source/TileWMS';
import VectorSource from 'ol/source/Vector';
import Fill from 'ol/style/Fill';
import Stroke from 'ol/style/Stroke';
import Style from 'ol/style/Style';
import Text from 'ol/style/Text';
import View from 'ol/View';
import { FONT, INK } from '../map/theme';

const format = new GeoJSON({ dataProjection: 'EPSG:4326', featureProjection: 'EPSG:3857' });

export const readPlanFeatures = (collection: object): Feature[] =>
  format.readFeatures(collection) as Feature[];

/** A view that several maps may share. */
export const planView = (): View =>
  new View({
    projection: 'EPSG:3857',
    center: [0, 0],
    zoom: 14,
    minZoom: 8,
    maxZoom: 20,
    enableRotation: false,
  });

/** Streets, buildings and water of the service, as one picture. */
function baseLayer(): TileLayer {
  return new TileLayer({
    zIndex: 0,
    source: new TileWMS({
      url: new URL('wms', document.baseURI).href,
      params: { LAYERS: 'water,buildings,streets', FORMAT: 'image/png', TRANSPARENT: true, VERSION: '1.3.0' },
      projection: 'EPSG:3857',
      transition: 0,
    }),
  });
}

/** How a grid is drawn and what is written on it. */
export interface GridLook {
  fill: string;
  stroke?: string;
  width?: number;
  dash?: number[];
  label?: string;
  /** Text over text is left out, the higher ones first. */
  strong?: boolean;
}

export interface PlanMap {
  map: OlMap;
  grids: VectorSource;
  layer: VectorLayer;
  show(collection: object): void;
  look(styleOf: (feature: Feature) => GridLook | null): void;
  fit(extent?: Extent, animate?: boolean): void;
  extent(): Extent | null;
}

/** Pixels a grid must measure across before anything is written on it. */
const ROOM = 34;

function labelled(look: GridLook, feature: Feature, resolution: number): Text | undefined {
  if (!look.label) return undefined;
  const box = feature.getGeometry()?.getExtent();
  if (!box || Math.sqrt((box[2]! - box[0]!) * (box[3]! - box[1]!)) / resolution < ROOM) return undefined;
  return new Text({
    text: look.label,
    font: `${look.strong ? 700 : 600} 12px ${FONT}`,
    fill: new Fill({ color: INK }),
    stroke: new Stroke({ color: 'rgba(255, 255, 255, 0.92)', width: 3.2 }),
    overflow: true,
  });
}

/** Make the map in `target`; its keyboard is the target's own. */
export function createPlanMap(target: HTMLElement, view = planView(), padding = 36): PlanMap {
  const grids = new VectorSource();
  let lookOf: (feature: Feature) => GridLook | null = () => null;
  const layer = new VectorLayer({
    source: grids,
    zIndex: 10,
    opacity: 0.82,
    style: (feature) => {
      const look = lookOf(feature as Feature);
      return look ? new Style({ fill: new Fill({ color: look.fill }) }) : undefined;
    },
  });
  const edges = new VectorLayer({
    source: grids,
    zIndex: 12,
    declutter: 'places',
    style: (feature, resolution) => {
      const look = lookOf(feature as Feature);
      if (!look) return undefined;
      const width = look.width ?? 1.2;
      const line = { color: look.stroke ?? 'rgba(38, 56, 74, 0.8)', width };
      const text = labelled(look, feature as Feature, resolution);
      return [
        new Style({ stroke: new Stroke({ color: 'rgba(255, 255, 255, 0.8)', width: width + 1.8 }) }),
        new Style({ stroke: new Stroke(look.dash ? { ...line, lineDash: look.dash } : line) }),
        ...(text ? [new Style({ text, zIndex: look.strong ? 2 : 1 })] : []),
      ];
    },
  });
  const map = new OlMap({
    target,
    view,
    layers: [baseLayer(), layer, edges],
    controls: [new ScaleLine({ minWidth: 70 })],
    keyboardEventTarget: target,
  });
  const calm = window.matchMedia('(prefers-reduced-motion: reduce)');
  const extent = (): Extent | null => {
    const box = createEmpty();
    for (const feature of grids.getFeatures()) {
      const geometry = feature.getGeometry();
      if (geometry) extend(box, geometry.getExtent());
    }
    return isEmpty(box) ? null : box;
  };
  return {
    map,
    grids,
    layer,
    extent,
    show(collection) {
      grids.clear(true);
      grids.addFeatures(readPlanFeatures(collection).filter((feature) => feature.getGeometry()));
    },
    look(styleOf) {
      lookOf = styleOf;
      layer.changed();
      edges.changed();
    },
    fit(wanted, animate = true) {
      const box = wanted ?? extent();
      if (!box) return;
      map.updateSize();
      map.getView().fit(box, {
        padding: [padding, padding, padding, padding],
        maxZoom: 18,
        duration: animate && !calm.matches ? 260 : 0,
        size: map.getSize() ?? [800, 600],
      });
    },
  };
}
