/** Buildings close up take the colour of what they reach: the category's facility in time, or most kinds. */
import type Feature from 'ol/Feature';
import VectorLayer from 'ol/layer/Vector';
import type OlMap from 'ol/Map';
import VectorSource from 'ol/source/Vector';
import Fill from 'ol/style/Fill';
import Stroke from 'ol/style/Stroke';
import Style from 'ol/style/Style';
import { type App, circlesOn, isComputed, type State } from '../core/app';
import { classOf } from '../core/classes';
import { service } from '../core/client';
import type { BuildingReachProperties } from '../core/types';
import { type Basemap, BUILDINGS_FROM } from './basemap';
import { hatch } from './pattern';
import * as theme from './theme';
import { type Viewport, viewport } from './viewport';

const edged = (color: string, fill: CanvasPattern | string = color): Style =>
  new Style({
    fill: new Fill({ color: fill }),
    stroke: new Stroke({ color: theme.REACHED_EDGE, width: 0.9 }),
  });

/** Colour the buildings of the base map; follows category, profile and the building selected in the state. */
export function addReached(
  map: OlMap,
  app: App,
  basemap: Basemap,
  onError: (error: unknown) => void,
): Viewport {
  const { store, catalog } = app;
  let reached = new Map<number, BuildingReachProperties>();
  const covered = edged(theme.COVERED);
  const blind = edged(theme.BLIND_BUILDING);
  const unassessed = edged(theme.UNASSESSED, hatch(theme.UNASSESSED));
  const scores = catalog.palette.shares.map(({ color }) => edged(color));

  function styleOf(feature: Feature): Style | null {
    const told = reached.get(Number(feature.getId()));
    if (!told || !circlesOn(store.get())) return null;
    if (!told.assessable) return unassessed;
    if (store.get().category) return told.covered ? covered : blind;
    return scores[classOf(catalog.palette.shares, told.score)] ?? null;
  }

  /** The category asked about; the score is the same with any. */
  const asked = ({ category, summary }: Readonly<State>): string | undefined =>
    category ?? summary?.categories[0]?.category;
  const keyOf = (state: Readonly<State>): string => `${asked(state)}@${state.profile}`;
  const seen = viewport(map, {
    minZoom: BUILDINGS_FROM,
    wanted: () => {
      const state = store.get();
      return circlesOn(state) && isComputed(state) && state.layers.buildings && asked(state) !== undefined;
    },
    key: () => keyOf(store.get()),
    fetch: (bbox, _zoom, signal) =>
      service.buildingsReached(asked(store.get()) ?? '', store.get().profile, bbox, signal),
    prepare(features) {
      reached = new Map(
        features.map((feature) => [
          Number(feature.getId()),
          feature.getProperties() as BuildingReachProperties,
        ]),
      );
      basemap.paintBuildings(styleOf);
      return features;
    },
    onError,
  });

  let key = keyOf(store.get());
  store.on(['category', 'profile', 'summary', 'computed', 'panel', 'layers'], (state) => {
    if (keyOf(state) !== key) reached.clear();
    key = keyOf(state);
    basemap.paintBuildings(styleOf);
    seen.refresh();
  });

  const chosen = new VectorSource();
  map.addLayer(
    new VectorLayer({
      source: chosen,
      zIndex: 40,
      style: [
        new Style({ stroke: new Stroke({ color: '#fff', width: 6 }) }),
        new Style({ stroke: new Stroke({ color: theme.ACCENT, width: 3 }) }),
      ],
    }),
  );
  const mark = (): void => {
    const id = store.get().selection?.building;
    chosen.clear(true);
    const feature = id == null ? null : basemap.buildings.source.getFeatureById(id);
    if (feature) chosen.addFeature(feature as Feature);
  };
  store.on(['selection'], mark);
  basemap.buildings.source.on('change', mark);
  return seen;
}
