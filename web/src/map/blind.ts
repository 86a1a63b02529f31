/** Blind spots of the category: hatched, with their rank; the one pointed at in the list stands out. */
import type { Extent } from 'ol/extent';
import type Feature from 'ol/Feature';
import type MultiPolygon from 'ol/geom/MultiPolygon';
import Point from 'ol/geom/Point';
import VectorLayer from 'ol/layer/Vector';
import type OlMap from 'ol/Map';
import VectorSource from 'ol/source/Vector';
import Fill from 'ol/style/Fill';
import RegularShape from 'ol/style/RegularShape';
import Stroke from 'ol/style/Stroke';
import Style from 'ol/style/Style';
import Text from 'ol/style/Text';
import type { App } from '../core/app';
import { openHatch } from './pattern';
import * as theme from './theme';
import { readFeatures } from './viewport';

/** The middle of the widest part of an area of many pieces: the first is not always the largest. */
function middle(feature: Feature): Point | undefined {
  const parts = (feature.getGeometry() as MultiPolygon).getPolygons();
  const largest = parts.reduce((a, b) => (b.getArea() > a.getArea() ? b : a), parts[0]!);
  return largest && new Point(largest.getInteriorPoint().getCoordinates().slice(0, 2));
}

export interface BlindSpotsLayer {
  source: VectorSource;
  extent(rank: number): Extent | null;
}

/** Add the layer; it follows the blind spots and the rank pointed at in the state. */
export function addBlindSpots(map: OlMap, app: App): BlindSpotsLayer {
  const { store } = app;
  const source = new VectorSource();
  let middles = new Map<Feature, Point | undefined>();
  const fill = new Fill({ color: openHatch(theme.BLIND) });
  const area = new Style({ fill, stroke: new Stroke({ color: theme.BLIND, width: 1.4 }) });
  const strong = [
    new Style({ stroke: new Stroke({ color: '#fff', width: 6 }) }),
    new Style({ fill, stroke: new Stroke({ color: theme.BLIND, width: 3 }) }),
  ];
  map.addLayer(
    new VectorLayer({
      source,
      zIndex: 35,
      style: (feature) => (feature.get('rank') === store.get().spot ? strong : area),
    }),
  );
  const labels = new VectorLayer({
    source,
    zIndex: 52,
    // Ranks come before the names of grids, the first before the last.
    declutter: 'places',
    renderOrder: (a, b) => Number(a.get('rank')) - Number(b.get('rank')),
    style: (feature) => {
      const at = middles.get(feature as Feature);
      if (!at) return undefined;
      const here = feature.get('rank') === store.get().spot;
      return new Style({
        geometry: at,
        image: new RegularShape({
          points: 4,
          angle: Math.PI / 4,
          radius: here ? 16 : 13,
          fill: new Fill({ color: theme.BLIND }),
          stroke: new Stroke({ color: '#fff', width: 1.5 }),
        }),
        text: new Text({
          text: String(feature.get('rank')),
          font: `600 ${here ? 13 : 11}px ${theme.FONT}`,
          fill: new Fill({ color: '#fff' }),
          offsetY: 1,
        }),
      });
    },
  });
  map.addLayer(labels);

  store.on(['blind'], ({ blind }) => {
    source.clear(true);
    const features = blind ? readFeatures(blind) : [];
    middles = new Map(features.map((feature) => [feature, middle(feature)]));
    source.addFeatures(features);
    source.changed();
  });
  store.on(['spot'], () => source.changed());
  return {
    source,
    extent: (rank) =>
      source
        .getFeatures()
        .find((feature) => feature.get('rank') === rank)
        ?.getGeometry()
        ?.getExtent() ?? null,
  };
}
