/** Ways from the place selected to the nearest facility of each kind: all faint, the chosen one strong. */
import Feature from 'ol/Feature';
import LineString from 'ol/geom/LineString';
import Point from 'ol/geom/Point';
import type { Extent } from 'ol/extent';
import VectorLayer from 'ol/layer/Vector';
import type OlMap from 'ol/Map';
import { fromLonLat } from 'ol/proj';
import VectorSource from 'ol/source/Vector';
import Fill from 'ol/style/Fill';
import Icon from 'ol/style/Icon';
import Stroke from 'ol/style/Stroke';
import Style from 'ol/style/Style';
import Text from 'ol/style/Text';
import type { App } from '../core/app';
import type { NearestRow } from '../core/types';
import { nameOf, onLang } from '../i18n';
import { glyph } from './facilities';
import * as theme from './theme';

export interface Routes {
  source: VectorSource;
  /** Extent of the way to the nearest facility of a category. */
  extent(category: string): Extent | null;
}

/** Add the layers; they follow the nearest facilities and the way chosen or pointed at in the state. */
export function addRoutes(map: OlMap, app: App): Routes {
  const { store, catalog } = app;
  const source = new VectorSource();
  const ends = new VectorSource();
  const names = new Map(catalog.categories.map((entry) => [entry.category, entry.name_zh]));
  const strongNow = (): string | null => store.get().wayUnder ?? store.get().way;

  const faint = new Style({ stroke: new Stroke({ color: theme.WAY_FAINT, width: 2.2 }), zIndex: 0 });
  const strong = [
    new Style({ stroke: new Stroke({ color: '#fff', width: 9, lineCap: 'round' }), zIndex: 1 }),
    new Style({ stroke: new Stroke({ color: theme.WAY, width: 5, lineCap: 'round' }), zIndex: 2 }),
  ];
  map.addLayer(
    new VectorLayer({
      source,
      zIndex: 46,
      style: (feature) => (feature.get('category') === strongNow() ? strong : faint),
    }),
  );

  function endStyle(feature: Feature): Style {
    const category = String(feature.get('category'));
    const chosen = category === strongNow();
    const img = glyph(category, names.get(category));
    const style = new Style({
      image: new Icon({
        img,
        scale: chosen ? 0.62 : 0.34,
        opacity: strongNow() && !chosen ? 0.75 : 1,
        declutterMode: 'obstacle',
      }),
      zIndex: chosen ? 2 : 1,
    });
    if (chosen) {
      style.setText(
        new Text({
          text: nameOf({ name: feature.get('name') as string, name_en: feature.get('name_en') as string }),
          font: `600 13px ${theme.FONT}`,
          fill: new Fill({ color: theme.INK }),
          stroke: new Stroke({ color: 'rgba(255, 255, 255, 0.95)', width: 4 }),
          offsetY: 26,
          declutterMode: 'obstacle',
        }),
      );
    }
    return style;
  }
  map.addLayer(
    new VectorLayer({
      source: ends,
      zIndex: 60,
      declutter: 'places',
      style: (feature) => endStyle(feature as Feature),
    }),
  );

  function read(row: NearestRow): void {
    const { category, facility, route } = row;
    if (!facility) return;
    ends.addFeature(
      new Feature({
        geometry: new Point(fromLonLat([facility.lon, facility.lat])),
        category,
        name: facility.name,
        name_en: facility.name_en,
      }),
    );
    if (!route) return;
    const line = new LineString(route.coordinates.map((at) => fromLonLat(at)));
    source.addFeature(new Feature({ geometry: line, category }));
  }

  store.on(['reach'], ({ reach }) => {
    source.clear(true);
    ends.clear(true);
    for (const row of reach?.answer?.nearest ?? []) read(row);
  });
  const again = (): void => {
    source.changed();
    ends.changed();
  };
  store.on(['way', 'wayUnder'], again);
  onLang(again);
  return {
    source,
    extent: (category) =>
      source
        .getFeatures()
        .find((feature) => feature.get('category') === category)
        ?.getGeometry()
        ?.getExtent() ?? null,
  };
}
