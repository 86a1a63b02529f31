/** City components: clusters counted by the service from afar, single points near. */
import type Feature from 'ol/Feature';
import VectorLayer from 'ol/layer/Vector';
import type OlMap from 'ol/Map';
import CircleStyle from 'ol/style/Circle';
import Fill from 'ol/style/Fill';
import Stroke from 'ol/style/Stroke';
import Style from 'ol/style/Style';
import Text from 'ol/style/Text';
import type { App } from '../core/app';
import { service } from '../core/client';
import { compact } from '../core/format';
import { majorColor } from '../core/names';
import { withAlpha } from '../core/palette';
import * as theme from './theme';
import { type Viewport, viewport } from './viewport';

/** From this zoom on components stand alone. */
export const POINTS_FROM = 16.75;
const CELL_PIXELS = 84;

/** Width of a cluster cell in degrees of longitude, the same for every zoom between two whole ones. */
export function cellAt(zoom: number): number {
  return (360 / 256 / 2 ** Math.floor(zoom + 0.25)) * CELL_PIXELS;
}

type ColorOf = (major: string) => string;

function clusterStyles(colorOf: ColorOf): (feature: Feature) => Style[] {
  const kept = new Map<string, Style[]>();
  return (feature) => {
    const total = Number(feature.get('count'));
    const major = String(feature.get('major'));
    const key = `${major}:${total}`;
    let styles = kept.get(key);
    if (!styles) {
      const radius = 9 + Math.min(11, Math.log10(Math.max(1, total)) * 3.4);
      const color = colorOf(major);
      styles = [
        new Style({
          image: new CircleStyle({
            radius: radius + 3.5,
            declutterMode: 'none',
            fill: new Fill({ color: withAlpha(color, 0.22) }),
          }),
        }),
        new Style({
          image: new CircleStyle({
            radius,
            declutterMode: 'obstacle',
            fill: new Fill({ color: withAlpha(color, 0.92) }),
            stroke: new Stroke({ color: '#fff', width: 1.5 }),
          }),
          text: new Text({
            text: compact(total),
            font: `600 ${total >= 1000 ? 11 : 12}px ${theme.FONT}`,
            fill: new Fill({ color: '#fff' }),
            offsetY: 1,
            declutterMode: 'none',
          }),
        }),
      ];
      kept.set(key, styles);
    }
    return styles;
  };
}

function pointStyles(colorOf: ColorOf): (feature: Feature, zoom: number) => Style {
  const kept = new Map<string, Style>();
  return (feature, zoom) => {
    const major = String(feature.get('major'));
    const broken = String(feature.get('state') ?? '完好') !== '完好';
    const near = zoom >= 18;
    const key = `${major}:${broken}:${near}`;
    let style = kept.get(key);
    if (!style) {
      style = new Style({
        image: new CircleStyle({
          radius: near ? 6.5 : 4.5,
          fill: new Fill({ color: colorOf(major) }),
          stroke: new Stroke({ color: broken ? '#d3202f' : '#fff', width: broken ? 2.2 : 1.4 }),
        }),
      });
      kept.set(key, style);
    }
    return style;
  };
}

export interface Components {
  clusters: Viewport;
  points: Viewport;
}

/** Add both component layers; they follow the layer switch of the state. */
export function addComponents(map: OlMap, app: App, onError: (error: unknown) => void): Components {
  const { store, catalog } = app;
  const colorOf = (major: string): string => majorColor(catalog, major);
  const shown = (): boolean => store.get().layers.components;
  const clusters = viewport(map, {
    minZoom: 0,
    wanted: () => shown() && (map.getView().getZoom() ?? 0) < POINTS_FROM,
    key: (zoom) => String(cellAt(zoom)),
    fetch: (bbox, zoom, signal) => service.clusters(bbox, cellAt(zoom), signal),
    prepare: (features) => features.sort((a, b) => Number(a.get('count')) - Number(b.get('count'))),
    onError,
  });
  const points = viewport(map, {
    minZoom: POINTS_FROM,
    wanted: shown,
    fetch: (bbox, _zoom, signal) => service.components(bbox, signal),
    onError,
  });
  const styleCluster = clusterStyles(colorOf);
  const stylePoint = pointStyles(colorOf);
  const layers = [
    new VectorLayer({
      source: clusters.source,
      maxZoom: POINTS_FROM,
      zIndex: 50,
      declutter: 'places',
      properties: { pick: 'cluster', key: 'components' },
      style: (feature) => styleCluster(feature as Feature),
    }),
    new VectorLayer({
      source: points.source,
      minZoom: POINTS_FROM,
      zIndex: 50,
      properties: { pick: 'component', key: 'components' },
      style: (feature, resolution) =>
        stylePoint(feature as Feature, map.getView().getZoomForResolution(resolution) ?? 0),
    }),
  ];
  for (const layer of layers) map.addLayer(layer);
  const follow = (): void => {
    for (const layer of layers) layer.setVisible(shown());
    clusters.refresh();
    points.refresh();
  };
  store.on(['layers'], follow);
  follow();
  return { clusters, points };
}
