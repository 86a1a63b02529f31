/** `window.gisgrid` of the pages of plans: for tests and the curious; nothing on the page depends on it. */
import type { FeatureCollection } from 'geojson';
import GeoJSON from 'ol/format/GeoJSON';
import type OlMap from 'ol/Map';
import { fromLonLat } from 'ol/proj';
import type VectorSource from 'ol/source/Vector';
import { busy } from '../core/client';
import type { LonLat } from '../core/types';

export interface PlansHandle {
  map: OlMap | null;
  state: () => Readonly<Record<string, unknown>>;
  ready: Promise<void>;
  /** Resolves when nothing is asked of the service and the map is drawn. */
  idle: () => Promise<void>;
  layers: () => string[];
  featureCount: (layer: string) => number;
  features: (layer: string) => FeatureCollection;
  pixelOf: (point: LonLat) => [number, number] | null;
}

const QUIET_MS = 130;
const format = new GeoJSON({ dataProjection: 'EPSG:4326', featureProjection: 'EPSG:3857' });
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

let watched: OlMap | null = null;
let sources: Readonly<Record<string, VectorSource>> = {};

async function idle(): Promise<void> {
  for (let quiet = 0; quiet < 2;) {
    await pause(QUIET_MS);
    quiet = busy() === 0 && !watched?.getView().getAnimating() ? quiet + 1 : 0;
  }
  const map = watched;
  if (!map?.getTargetElement()) return;
  await new Promise<void>((done) => {
    map.once('rendercomplete', () => done());
    map.render();
  });
}

/** The map tests look at, and what it draws; null when the page shows none. */
export function watchMap(map: OlMap | null, drawn: Readonly<Record<string, VectorSource>> = {}): void {
  watched = map;
  sources = drawn;
}

/** Put the handle on the window; the body says `data-ready` once the page has come to rest. */
export function exposePlans(name: string, state: () => Readonly<Record<string, unknown>>): void {
  const ready = idle();
  void ready.then(() => document.body.setAttribute('data-ready', name));
  const handle: PlansHandle = {
    get map() {
      return watched;
    },
    state,
    ready,
    idle,
    layers: () => Object.keys(sources),
    featureCount: (layer) => sources[layer]?.getFeatures().length ?? 0,
    features: (layer) => format.writeFeaturesObject(sources[layer]?.getFeatures() ?? []),
    pixelOf(point) {
      const pixel = watched?.getPixelFromCoordinate(fromLonLat(point));
      if (!watched || !pixel) return null;
      const box = watched.getTargetElement()?.getBoundingClientRect() ?? { left: 0, top: 0 };
      return [(pixel[0] ?? 0) + box.left, (pixel[1] ?? 0) + box.top];
    },
  };
  Object.assign(window, { gisgrid: handle });
}
