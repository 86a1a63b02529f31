/** `window.gisgrid`: what tests and the curious may look at. Nothing on the page depends on it. */
import type { FeatureCollection } from 'geojson';
import GeoJSON from 'ol/format/GeoJSON';
import type OlMap from 'ol/Map';
import { fromLonLat } from 'ol/proj';
import type VectorSource from 'ol/source/Vector';
import type { State } from './core/app';
import type { Store } from './core/store';
import type { LonLat } from './core/types';

export interface Handle {
  map: OlMap;
  state: () => Readonly<State>;
  /** Resolves when everything asked for has come and is drawn; the body then says `data-ready="map"`. */
  ready: Promise<void>;
  idle: () => Promise<void>;
  layers: () => string[];
  featureCount: (layer: string) => number;
  /** What a layer draws, as GeoJSON in degrees. */
  features: (layer: string) => FeatureCollection;
  /** Pixel of a place in the page, counted from the page's own corner. */
  pixelOf: (point: LonLat) => [number, number] | null;
}

declare global {
  interface Window {
    gisgrid?: Handle;
  }
}

const QUIET_MS = 260;
const format = new GeoJSON({ dataProjection: 'EPSG:4326', featureProjection: 'EPSG:3857' });
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

export function exposeHandle(
  map: OlMap,
  store: Store<State>,
  busy: () => number,
  sources: Readonly<Record<string, VectorSource>>,
): void {
  async function idle(): Promise<void> {
    // Loading starts a moment after the view settles: be sure of two quiet looks in a row.
    for (let quiet = 0; quiet < 2;) {
      await pause(QUIET_MS / 2);
      quiet = busy() === 0 && !map.getView().getAnimating() ? quiet + 1 : 0;
    }
    await new Promise<void>((done) => {
      map.once('rendercomplete', () => done());
      map.render();
    });
  }
  const ready = idle();
  void ready.then(() => document.body.setAttribute('data-ready', 'map'));
  window.gisgrid = {
    map,
    state: store.get,
    ready,
    idle,
    layers: () => Object.keys(sources),
    featureCount: (layer) => sources[layer]?.getFeatures().length ?? 0,
    features: (layer) => format.writeFeaturesObject(sources[layer]?.getFeatures() ?? []),
    pixelOf(point) {
      const pixel = map.getPixelFromCoordinate(fromLonLat(point));
      if (!pixel) return null;
      const box = map.getTargetElement()?.getBoundingClientRect() ?? { left: 0, top: 0 };
      return [(pixel[0] ?? 0) + box.left, (pixel[1] ?? 0) + box.top];
    },
  };
}
