/** Walking ranges of the chosen category: 5, 10 and 15 minutes. */

import VectorLayer from 'ol/layer/Vector';
import type OlMap from 'ol/Map';
import VectorSource from 'ol/source/Vector';
import Fill from 'ol/style/Fill';
import Stroke from 'ol/style/Stroke';
import Style from 'ol/style/Style';
import type { App } from '../core/app';
import { isAbort, service } from '../core/client';
import { rangeLine, withAlpha } from '../core/palette';
import * as theme from './theme';
import { readFeatures } from './viewport';

/** Add the isochrone layer; it follows the category and its switch in the state. */
export function addIsochrones(map: OlMap, app: App, onError: (error: unknown) => void): VectorSource {
  const { store } = app;
  const source = new VectorSource();
  const styles = new Map<number, Style>();
  for (const [minutes, color] of app.catalog.palette.isochrones) {
    const dash = theme.ISOCHRONE_DASH[minutes];
    const stroke = new Stroke({
      color: rangeLine(color, minutes),
      width: 2,
      ...(dash && { lineDash: dash }),
    });
    const fill = new Fill({ color: withAlpha(color, 0.06) });
    styles.set(minutes, new Style({ stroke, fill, zIndex: 100 - minutes }));
  }
  const layer = new VectorLayer({
    source,
    zIndex: 34,
    style: (feature) => styles.get(Number(feature.get('minutes'))) ?? styles.get(15),
  });
  map.addLayer(layer);

  let abort: AbortController | null = null;
  async function follow(): Promise<void> {
    const { category, isochrones } = store.get();
    layer.setVisible(isochrones);
    abort?.abort();
    source.clear();
    if (!category || !isochrones) return;
    abort = new AbortController();
    const { signal } = abort;
    try {
      const page = await service.isochrones(category, signal);
      if (!signal.aborted) source.addFeatures(readFeatures(page));
    } catch (error) {
      if (!isAbort(error)) onError(error);
    }
  }
  store.on(['category', 'isochrones'], () => void follow());
  return source;
}
