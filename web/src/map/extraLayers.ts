/** Layers of the service's catalogue added to the map: as pictures (WMS) or as vector tiles. */
import MVT from 'ol/format/MVT';
import ImageLayer from 'ol/layer/Image';
import type Layer from 'ol/layer/Layer';
import VectorTileLayer from 'ol/layer/VectorTile';
import type OlMap from 'ol/Map';
import ImageWMS from 'ol/source/ImageWMS';
import VectorTileSource from 'ol/source/VectorTile';
import CircleStyle from 'ol/style/Circle';
import Fill from 'ol/style/Fill';
import Stroke from 'ol/style/Stroke';
import Style from 'ol/style/Style';
import { createXYZ } from 'ol/tilegrid';
import { address, getJson } from '../core/client';

/** A layer of `/api/v1/layers`, as far as it is shown here. */
export interface CatalogueLayer {
  name: string;
  title_zh: string;
  title_en: string;
  group: string | null;
  shape: string;
  restricted: boolean;
  picture_only: boolean;
}

export type Way = 'wms' | 'tiles';

export interface Added {
  layer: CatalogueLayer;
  way: Way;
  color: string;
  opacity: number;
  on: boolean;
  /** Zoom it shows from. */
  from: number;
}

export interface ExtraLayers {
  offered: () => Promise<CatalogueLayer[]>;
  list: () => readonly Added[];
  add: (layer: CatalogueLayer, way: Way) => Promise<void>;
  change: (name: string, change: Partial<Pick<Added, 'opacity' | 'on'>>) => void;
  /** Higher in the list is higher on the map. */
  move: (name: string, step: -1 | 1) => void;
  remove: (name: string) => void;
}

/** Colours of vector tiles, in the order they are added. */
const COLORS = ['#8a1466', '#1f6b32', '#a3561b', '#1558a6', '#5b2a86', '#7a6a00'] as const;
/** Above the grids' tint, below their names. */
const LOWEST = 24;

/** Where a path of this service is, also behind a proxy. */
export const site = (path: string): string => new URL(path, document.baseURI).href;

export const legendOf = (name: string, lang: string): string =>
  `${site('wms')}?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetLegendGraphic&FORMAT=image/png&LANGUAGE=${lang}&LAYER=${encodeURIComponent(name)}`;

export const tilesOf = (name: string): string =>
  `${site('ogc/collections/')}${encodeURIComponent(name)}/tiles/WebMercatorQuad/{z}/{y}/{x}`;

function picture(name: string): ImageLayer<ImageWMS> {
  const source = new ImageWMS({
    url: site('wms'),
    params: { LAYERS: name, STYLES: '', FORMAT: 'image/png', TRANSPARENT: 'TRUE' },
    ratio: 1.1,
  });
  return new ImageLayer({ source });
}

/** The zoom a layer's tiles begin at; nothing is asked for below it. */
async function firstZoom(name: string): Promise<number> {
  const url = new URL(tilesOf(name).replace('/{z}/{y}/{x}', '?f=json'));
  const { tileMatrixSetLimits: limits } = await getJson<{ tileMatrixSetLimits: { tileMatrix: string }[] }>(
    url,
  );
  return Math.min(...limits.map(({ tileMatrix }) => Number(tileMatrix)), 18);
}

function vectors(name: string, color: string, from: number): VectorTileLayer {
  const tileGrid = createXYZ({ minZoom: from, maxZoom: 18 });
  const source = new VectorTileSource({ format: new MVT(), url: tilesOf(name), tileGrid });
  const style = new Style({
    stroke: new Stroke({ color, width: 1.6 }),
    fill: new Fill({ color: `${color}26` }),
    image: new CircleStyle({
      radius: 4.5,
      fill: new Fill({ color }),
      stroke: new Stroke({ color: '#fff', width: 1.2 }),
    }),
  });
  return new VectorTileLayer({ source, style, ...(from > 0 ? { minZoom: from - 0.5 } : {}) });
}

/** Give the map a list of added layers; `changed` runs after every change. */
export function extraLayers(map: OlMap, changed: () => void): ExtraLayers {
  const added: Added[] = [];
  const drawn = new Map<string, Layer>();
  let known: Promise<CatalogueLayer[]> | null = null;

  function settle(): void {
    added.forEach((entry, at) => {
      const layer = drawn.get(entry.layer.name);
      layer?.setZIndex(LOWEST + (added.length - at) / 100);
      layer?.setOpacity(entry.opacity);
      layer?.setVisible(entry.on);
    });
    changed();
  }
  return {
    offered() {
      known ??= getJson<{ layers: CatalogueLayer[] }>(address('layers')).then(({ layers }) => layers);
      known.catch(() => (known = null));
      return known;
    },
    list: () => added,
    async add(layer, way) {
      if (drawn.has(layer.name)) return;
      const from = way === 'tiles' ? await firstZoom(layer.name) : 0;
      if (drawn.has(layer.name)) return; // added twice while the answer was on its way
      const color = COLORS[drawn.size % COLORS.length] ?? COLORS[0];
      const made = way === 'wms' ? picture(layer.name) : vectors(layer.name, color, from);
      made.set('key', `extra:${layer.name}`);
      drawn.set(layer.name, made);
      added.unshift({ layer, way, color, from, opacity: way === 'wms' ? 0.8 : 1, on: true });
      map.addLayer(made);
      settle();
    },
    change(name, change) {
      const entry = added.find(({ layer }) => layer.name === name);
      if (entry) Object.assign(entry, change);
      settle();
    },
    move(name, step) {
      const at = added.findIndex(({ layer }) => layer.name === name);
      const to = at + step;
      if (at < 0 || to < 0 || to >= added.length) return;
      added.splice(to, 0, ...added.splice(at, 1));
      settle();
    },
    remove(name) {
      const at = added.findIndex(({ layer }) => layer.name === name);
      if (at >= 0) added.splice(at, 1);
      const layer = drawn.get(name);
      if (layer) map.removeLayer(layer);
      drawn.delete(name);
      settle();
    },
  };
}
