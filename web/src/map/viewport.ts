/** Features of the part of the map in sight: fetched after the view settles, dropped requests cancelled. */

import { containsExtent, type Extent, getHeight, getWidth } from 'ol/extent';
import type Feature from 'ol/Feature';
import GeoJSON from 'ol/format/GeoJSON';
import type OlMap from 'ol/Map';
import { transformExtent } from 'ol/proj';
import VectorSource from 'ol/source/Vector';
import { isAbort } from '../core/client';
import type { Bbox } from '../core/types';

const SETTLE_MS = 160;
/** Fetch this share of the view beyond each edge, so that small pans need no request. */
const MARGIN = 0.25;

const format = new GeoJSON({ dataProjection: 'EPSG:4326', featureProjection: 'EPSG:3857' });

/** Features of an answer, in the view's projection. */
export function readFeatures(taken: { features: unknown[] }): Feature[] {
  return format.readFeatures({ type: 'FeatureCollection', features: taken.features }) as Feature[];
}

export function readExtent(geometry: unknown): Extent | null {
  return format.readGeometry(geometry)?.getExtent() ?? null;
}

export interface Viewport {
  source: VectorSource;
  /** Look again whether what is in sight is loaded (after a layer is switched on, say). */
  refresh(): void;
}

export interface ViewportOptions {
  /** Nothing is fetched below this zoom. */
  minZoom: number;
  wanted: () => boolean;
  /** What the answer depends on besides the place: a new key at a new zoom means a new fetch. */
  key?: (zoom: number) => string;
  fetch: (
    bbox: Bbox,
    zoom: number,
    signal: AbortSignal,
  ) => Promise<{ features: unknown[]; partial: boolean }>;
  /** Called with each new set before it is drawn. */
  prepare?: (features: Feature[]) => Feature[];
  onError: (error: unknown) => void;
}

function grown(extent: Extent, share: number): Extent {
  const dx = getWidth(extent) * share;
  const dy = getHeight(extent) * share;
  return [extent[0]! - dx, extent[1]! - dy, extent[2]! + dx, extent[3]! + dy];
}

/** Keep a source filled with what the view shows. */
export function viewport(map: OlMap, options: ViewportOptions): Viewport {
  const source = new VectorSource();
  let loaded: { extent: Extent; key: string; partial: boolean } | null = null;
  let timer: number | undefined;
  let running: { abort: AbortController; extent: Extent; key: string } | null = null;

  const zoomNow = (): number => map.getView().getZoom() ?? 0;

  async function load(): Promise<void> {
    const zoom = zoomNow();
    const size = map.getSize();
    if (!options.wanted() || zoom < options.minZoom || !size || size[0] === 0) {
      running?.abort.abort();
      running = null;
      return;
    }
    const view = map.getView().calculateExtent(size);
    const key = options.key?.(zoom) ?? '';
    if (loaded && loaded.key === key && containsExtent(loaded.extent, view) && !loaded.partial) return;
    if (running && running.key === key && containsExtent(running.extent, view)) return;
    running?.abort.abort();
    const extent = grown(view, MARGIN);
    const mine = { abort: new AbortController(), extent, key };
    running = mine;
    try {
      const bbox = transformExtent(extent, 'EPSG:3857', 'EPSG:4326') as Bbox;
      const taken = await options.fetch(bbox, zoom, mine.abort.signal);
      if (mine.abort.signal.aborted) return;
      const features = readFeatures(taken);
      source.clear(true);
      source.addFeatures(options.prepare?.(features) ?? features);
      loaded = { extent, key, partial: taken.partial };
    } catch (error) {
      if (!isAbort(error)) options.onError(error);
    } finally {
      if (running === mine) running = null;
    }
  }

  function refresh(): void {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void load(), SETTLE_MS);
  }

  map.on('moveend', refresh);
  return { source, refresh };
}
