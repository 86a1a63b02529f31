/** Facilities as discs with one Chinese character, coloured by what they serve. */
import type Feature from 'ol/Feature';
import VectorLayer from 'ol/layer/Vector';
import type OlMap from 'ol/Map';
import VectorSource from 'ol/source/Vector';
import Icon from 'ol/style/Icon';
import Style from 'ol/style/Style';
import type { App } from '../core/app';
import { isAbort, service } from '../core/client';
import type { FacilityCategory } from '../core/types';
import * as theme from './theme';
import { readFeatures } from './viewport';

const FIELDS = {
  school: '#2456b8',
  health: '#c0273b',
  elderly: '#8f3f97',
  culture: '#a8570b',
  sport: '#27753c',
  trade: '#8a6500',
  office: '#44546a',
  street: '#0b6c7c',
} as const;

/** Category → its character and field; a category of the user's own takes the first of its name. */
const GLYPHS: Record<string, [string, keyof typeof FIELDS]> = {
  junior_school: ['中', 'school'],
  primary_school: ['小', 'school'],
  kindergarten: ['幼', 'school'],
  nursery: ['托', 'school'],
  health_centre: ['卫', 'health'],
  clinic: ['医', 'health'],
  health_station: ['诊', 'health'],
  nursing_home: ['养', 'elderly'],
  elderly_nursing: ['护', 'elderly'],
  elderly_day_care: ['老', 'elderly'],
  canteen: ['食', 'elderly'],
  culture_centre: ['文', 'culture'],
  culture_station: ['艺', 'culture'],
  sports_centre: ['体', 'sport'],
  sports_field: ['球', 'sport'],
  small_sports: ['动', 'sport'],
  outdoor_fitness: ['健', 'sport'],
  mall: ['商', 'trade'],
  market: ['菜', 'trade'],
  convenience_store: ['便', 'trade'],
  bank: ['银', 'trade'],
  post_office: ['邮', 'office'],
  community_service_centre: ['社', 'office'],
  service_station: ['服', 'office'],
  subdistrict_office: ['街', 'office'],
  justice_office: ['司', 'office'],
  bus_stop: ['车', 'street'],
  recycling: ['收', 'street'],
  waste_collection: ['圾', 'street'],
  toilet: ['厕', 'street'],
};

const SIZE = 24;
const drawn = new Map<string, HTMLCanvasElement>();

/** The disc of a category, drawn at twice its size for sharp screens. */
export function glyph(category: string, name = ''): HTMLCanvasElement {
  const kept = drawn.get(category);
  if (kept) return kept;
  const [character, field] = GLYPHS[category] ?? [name.slice(0, 1) || '·', 'office'];
  const canvas = document.createElement('canvas');
  canvas.width = SIZE * 2;
  canvas.height = SIZE * 2;
  const context = canvas.getContext('2d');
  if (context) {
    context.scale(2, 2);
    context.beginPath();
    context.arc(SIZE / 2, SIZE / 2, SIZE / 2 - 1.5, 0, Math.PI * 2);
    context.fillStyle = FIELDS[field];
    context.fill();
    context.lineWidth = 1.6;
    context.strokeStyle = '#fff';
    context.stroke();
    context.fillStyle = '#fff';
    context.font = `600 12.5px ${theme.FONT}`;
    context.textAlign = 'center';
    context.textBaseline = 'alphabetic';
    const box = context.measureText(character);
    const middle = (box.actualBoundingBoxAscent - box.actualBoundingBoxDescent) / 2;
    context.fillText(character, SIZE / 2, SIZE / 2 + middle);
  }
  drawn.set(category, canvas);
  return canvas;
}

/** A copy of a category's disc to stand in the page. */
export function glyphElement(category: FacilityCategory): HTMLCanvasElement {
  const from = glyph(category.category, category.name_zh);
  const canvas = document.createElement('canvas');
  canvas.width = from.width;
  canvas.height = from.height;
  canvas.className = 'glyph';
  canvas.setAttribute('aria-hidden', 'true');
  canvas.getContext('2d')?.drawImage(from, 0, 0);
  return canvas;
}

/** Discs shrink from afar so that the map under them stays readable. */
const scaleAt = (zoom: number): number => (zoom < 12.5 ? 0.18 : zoom < 13.75 ? 0.3 : zoom < 15 ? 0.41 : 0.5);

/** Add the facility layer; it holds the categories chosen in the state and that of the coverage shown. */
export function addFacilities(map: OlMap, app: App, onError: (error: unknown) => void): VectorSource {
  const { store } = app;
  const source = new VectorSource();
  const loaded = new Map<string, Feature[]>();
  const asked = new Map<string, AbortController>();
  const styles = new Map<string, Style>();

  const layer = new VectorLayer({
    source,
    zIndex: 48,
    properties: { pick: 'facility' },
    style: (feature, resolution) => {
      const category = String(feature.get('category'));
      const scale = scaleAt(map.getView().getZoomForResolution(resolution) ?? 0);
      const key = `${category}@${scale}`;
      let style = styles.get(key);
      if (!style) {
        style = new Style({ image: new Icon({ img: glyph(category), scale }) });
        styles.set(key, style);
      }
      return style;
    },
  });
  map.addLayer(layer);

  /** Categories to be drawn now. */
  function wanted(): Set<string> {
    const { layers, facilities, category } = store.get();
    const all = new Set(layers.facilities ? facilities : []);
    if (category) all.add(category);
    return all;
  }

  async function load(category: string): Promise<void> {
    const abort = new AbortController();
    asked.set(category, abort);
    try {
      const features = readFeatures(await service.facilities(category, abort.signal));
      loaded.set(category, features);
      if (wanted().has(category)) source.addFeatures(features);
    } catch (error) {
      if (!isAbort(error)) onError(error);
    } finally {
      asked.delete(category);
    }
  }

  function follow(): void {
    const now = wanted();
    for (const [category, abort] of asked) if (!now.has(category)) abort.abort();
    const gone = source.getFeatures().filter((feature) => !now.has(String(feature.get('category'))));
    if (gone.length > 0) source.removeFeatures(gone);
    for (const category of now) {
      const features = loaded.get(category);
      if (!features) {
        if (!asked.has(category)) void load(category);
      } else if (features[0] && !source.hasFeature(features[0])) source.addFeatures(features);
    }
  }
  store.on(['layers', 'facilities', 'category'], follow);
  return source;
}
