/** Ranges of 5, 10 and 15 minutes: stored ones of the chosen category, and those drawn on the spot. */

import VectorLayer from 'ol/layer/Vector';
import type OlMap from 'ol/Map';
import VectorSource from 'ol/source/Vector';
import Fill from 'ol/style/Fill';
import Stroke from 'ol/style/Stroke';
import Style from 'ol/style/Style';
import { type App, isComputed } from '../core/app';
import { isAbort, service } from '../core/client';
import { rangeLine, withAlpha } from '../core/palette';
import * as theme from './theme';
import { readFeatures } from './viewport';

type ByMinutes = ReadonlyMap<number, Style>;

function stylesOf(colors: ReadonlyMap<number, string>, fill: number, width: number): ByMinutes {
  const styles = new Map<number, Style>();
  for (const [minutes, color] of colors) {
    const dash = theme.ISOCHRONE_DASH[minutes];
    const stroke = new Stroke({ color: rangeLine(color, minutes), width, ...(dash && { lineDash: dash }) });
    styles.set(
      minutes,
      new Style({ stroke, fill: new Fill({ color: withAlpha(color, fill) }), zIndex: 100 - minutes }),
    );
  }
  return styles;
}

/** Metres a pixel beyond which lines are thin: from afar there are many of them. */
const FAR = 8;

function layerOf(source: VectorSource, near: ByMinutes, far: ByMinutes, zIndex: number): VectorLayer {
  return new VectorLayer({
    source,
    zIndex,
    style: (feature, resolution) => {
      const styles = resolution > FAR ? far : near;
      return styles.get(Number(feature.get('minutes'))) ?? styles.get(15);
    },
  });
}

/** Add both layers; they follow the category, its switch and the ranges asked for in the state. */
export function addIsochrones(
  map: OlMap,
  app: App,
  onError: (error: unknown) => void,
): { stored: VectorSource; drawn: VectorSource } {
  const { store, catalog } = app;
  const stored = new VectorSource();
  const drawn = new VectorSource();
  const layer = layerOf(
    stored,
    stylesOf(catalog.palette.isochrones, 0.06, 2),
    stylesOf(catalog.palette.isochrones, 0.06, 1.1),
    34,
  );
  map.addLayer(layer);
  map.addLayer(
    layerOf(drawn, stylesOf(theme.RANGE_COLORS, 0.13, 2.6), stylesOf(theme.RANGE_COLORS, 0.13, 1.8), 38),
  );

  let abort: AbortController | null = null;
  async function follow(): Promise<void> {
    const { category, profile, isochrones } = store.get();
    abort?.abort();
    stored.clear();
    if (!category || !isochrones || !isComputed(store.get())) return;
    abort = new AbortController();
    const { signal } = abort;
    try {
      const page = await service.isochrones(category, profile, signal);
      if (!signal.aborted) stored.addFeatures(readFeatures(page));
    } catch (error) {
      if (!isAbort(error)) onError(error);
    }
  }
  store.on(['category', 'profile', 'computed', 'isochrones'], () => void follow());
  store.on(['ranges'], ({ ranges }) => {
    drawn.clear(true);
    if (ranges) drawn.addFeatures(readFeatures(ranges.answer));
    // One set of ranges at a time: two would not be told apart.
    layer.setVisible(ranges === null);
  });
  return { stored, drawn };
}
