/** The quiet ground under the theme: land, water, streets, buildings of the service's own data. */
import type Feature from 'ol/Feature';
import VectorLayer from 'ol/layer/Vector';
import type OlMap from 'ol/Map';
import VectorSource from 'ol/source/Vector';
import Fill from 'ol/style/Fill';
import Stroke from 'ol/style/Stroke';
import Style from 'ol/style/Style';
import Text from 'ol/style/Text';
import type { App } from '../core/app';
import { service } from '../core/client';
import { nameLines } from './streetNames';
import * as theme from './theme';
import { readFeatures, type Viewport, viewport } from './viewport';

type StreetClass = 'primary' | 'secondary' | 'tertiary' | 'residential' | 'service' | 'foot' | 'rail';

/** Zoom each class appears at, and its width in pixels at zooms 12, 14, 16 and 18. */
const STREETS: Record<StreetClass, { from: number; width: readonly [number, number, number, number] }> = {
  primary: { from: 0, width: [2.2, 4.2, 9, 20] },
  secondary: { from: 11, width: [1.6, 3.2, 7.5, 17] },
  tertiary: { from: 12.5, width: [1, 2.4, 6, 13] },
  residential: { from: 13.6, width: [0.6, 1.4, 4, 10] },
  service: { from: 15, width: [0.4, 0.8, 2.4, 6] },
  foot: { from: 16, width: [0.4, 0.6, 1, 1.8] },
  rail: { from: 12, width: [0.8, 1.2, 1.8, 2.6] },
};
const ORDER: readonly StreetClass[] = [
  'foot',
  'service',
  'residential',
  'tertiary',
  'secondary',
  'primary',
  'rail',
];
const NAMES_FROM = 15.2;
/** Zoom from which buildings are drawn. */
export const BUILDINGS_FROM = 15;

/** Width at a zoom, straight between the four given ones. */
export function widthAt(width: readonly number[], zoom: number): number {
  const at = Math.min(Math.max((zoom - 12) / 2, 0), width.length - 1);
  const low = Math.floor(at);
  const from = width[low] ?? 1;
  return from + ((width[low + 1] ?? from) - from) * (at - low);
}

/** The street classes drawn at a zoom. */
export const classesAt = (zoom: number): StreetClass[] => ORDER.filter((cls) => zoom >= STREETS[cls].from);

function streetStyles(): (feature: Feature, resolution: number, zoom: number) => Style[] {
  const kept = new Map<string, Style[]>();
  return (feature, _resolution, zoom) => {
    const cls = (feature.get('cls') ?? 'residential') as StreetClass;
    const rule = STREETS[cls] ?? STREETS.residential;
    if (zoom < rule.from) return [];
    const step = Math.round(zoom * 4) / 4;
    const key = `${cls}@${step}`;
    let styles = kept.get(key);
    if (!styles) {
      const width = widthAt(rule.width, step);
      const rank = ORDER.indexOf(cls);
      if (cls === 'foot') {
        const stroke = new Stroke({ color: theme.FOOTWAY, width, lineDash: [4, 3] });
        styles = [new Style({ stroke, zIndex: rank })];
      } else if (cls === 'rail') {
        styles = [
          new Style({ stroke: new Stroke({ color: theme.RAIL, width: width + 1.4 }), zIndex: 40 }),
          new Style({
            stroke: new Stroke({ color: '#fff', width, lineDash: [8, 8], lineCap: 'butt' }),
            zIndex: 41,
          }),
        ];
      } else {
        const edge = step < 13 ? 0.8 : 1.4;
        styles = [
          new Style({ stroke: new Stroke({ color: theme.STREET_EDGE, width: width + edge }), zIndex: rank }),
          new Style({ stroke: new Stroke({ color: theme.STREET, width }), zIndex: 20 + rank }),
        ];
      }
      kept.set(key, styles);
    }
    return styles;
  };
}

function nameStyle(): (feature: Feature, zoom: number) => Style | undefined {
  const text = new Text({
    placement: 'line',
    font: `11px ${theme.FONT}`,
    fill: new Fill({ color: theme.STREET_TEXT }),
    stroke: new Stroke({ color: 'rgba(255, 255, 255, 0.9)', width: 3 }),
    maxAngle: Math.PI / 8,
    repeat: 420,
  });
  const style = new Style({ text });
  return (feature, zoom) => {
    const cls = feature.get('cls') as StreetClass;
    if (zoom < 16.5 && (cls === 'residential' || cls === 'service')) return undefined;
    text.setText(String(feature.get('name')));
    return style;
  };
}

export interface Basemap {
  streets: Viewport;
  water: Viewport;
  buildings: Viewport;
  /** Give buildings a style of their own; null from it leaves a building as it is. */
  paintBuildings(styleOf: (feature: Feature) => Style | null): void;
}

/** Put the base layers on the map; they follow the layer switches of the state. */
export function addBasemap(map: OlMap, app: App, onError: (error: unknown) => void): Basemap {
  const { store, catalog } = app;
  const on = (key: 'streets' | 'water' | 'buildings') => () => store.get().layers[key];
  const zoomOf = (resolution: number): number => map.getView().getZoomForResolution(resolution) ?? 0;

  const districts = catalog.areas.features.filter(({ properties }) => properties.level === 'district');
  const ground = districts.length > 0 ? districts : catalog.grids.features;
  map.addLayer(
    new VectorLayer({
      source: new VectorSource({ features: readFeatures({ features: ground }) }),
      style: new Style({ fill: new Fill({ color: theme.LAND }) }),
      zIndex: 0,
    }),
  );

  const water = viewport(map, {
    minZoom: 0,
    wanted: on('water'),
    fetch: (bbox, _zoom, signal) => service.water(bbox, signal),
    onError,
  });
  const names = new VectorSource();
  const streets = viewport(map, {
    minZoom: 9,
    wanted: on('streets'),
    key: (zoom) => classesAt(zoom).join(),
    fetch: (bbox, zoom, signal) => service.streets(bbox, classesAt(zoom), signal),
    prepare(features) {
      names.clear(true);
      names.addFeatures(nameLines(features));
      return features;
    },
    onError,
  });
  const buildings = viewport(map, {
    minZoom: BUILDINGS_FROM,
    wanted: on('buildings'),
    fetch: (bbox, _zoom, signal) => service.buildings(bbox, signal),
    onError,
  });

  const styleStreet = streetStyles();
  const styleName = nameStyle();
  const banks = new Map<string, Style>();
  const plain = new Style({
    fill: new Fill({ color: theme.BUILDING }),
    stroke: new Stroke({ color: theme.BUILDING_EDGE, width: 0.8 }),
  });
  const layers = {
    water: [
      new VectorLayer({
        source: water.source,
        zIndex: 12,
        properties: { key: 'water' },
        style: (feature, resolution) => {
          const kind = String(feature.get('kind') ?? 'river');
          const zoom = Math.round(zoomOf(resolution) * 4) / 4;
          const key = `${kind}@${zoom}`;
          let style = banks.get(key);
          if (!style) {
            const width = feature.getGeometry()?.getType().includes('Polygon')
              ? 1
              : widthAt(kind === 'river' ? [3, 6, 14, 32] : [1.4, 2.6, 6, 14], zoom);
            const color = feature.getGeometry()?.getType().includes('Polygon')
              ? theme.WATER_EDGE
              : theme.WATER;
            style = new Style({
              fill: new Fill({ color: theme.WATER }),
              stroke: new Stroke({ color, width }),
            });
            if (width === 1) return style;
            banks.set(key, style);
          }
          return style;
        },
      }),
    ],
    buildings: [
      new VectorLayer({
        source: buildings.source,
        minZoom: BUILDINGS_FROM,
        zIndex: 16,
        properties: { key: 'buildings' },
        style: plain,
      }),
    ],
    streets: [
      new VectorLayer({
        source: streets.source,
        minZoom: 9,
        zIndex: 14,
        properties: { key: 'streets' },
        updateWhileInteracting: false,
        style: (feature, resolution) => styleStreet(feature as Feature, resolution, zoomOf(resolution)),
      }),
      new VectorLayer({
        source: names,
        minZoom: NAMES_FROM,
        zIndex: 32,
        properties: { key: 'streets' },
        declutter: 'places',
        style: (feature, resolution) => styleName(feature as Feature, zoomOf(resolution)),
      }),
    ],
  };
  for (const layer of Object.values(layers).flat()) map.addLayer(layer);

  const follow = (): void => {
    const shown = store.get().layers;
    for (const key of ['water', 'buildings', 'streets'] as const) {
      for (const layer of layers[key]) layer.setVisible(shown[key]);
    }
    water.refresh();
    buildings.refresh();
    streets.refresh();
  };
  store.on(['layers'], follow);
  follow();
  return {
    streets,
    water,
    buildings,
    paintBuildings(styleOf) {
      for (const layer of layers.buildings) layer.setStyle((feature) => styleOf(feature as Feature) ?? plain);
    },
  };
}
