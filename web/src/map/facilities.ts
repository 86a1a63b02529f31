/** Facilities as discs with one Chinese character, coloured by what they serve. */
import type Feature from 'ol/Feature';
import VectorLayer from 'ol/layer/Vector';
import type OlMap from 'ol/Map';
import VectorSource from 'ol/source/Vector';
import CircleStyle from 'ol/style/Circle';
import Fill from 'ol/style/Fill';
import Icon from 'ol/style/Icon';
import Stroke from 'ol/style/Stroke';
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

const colorOf = (category: string): string => FIELDS[GLYPHS[category]?.[1] ?? 'office'];

const SIZE = 24;
const drawn = new Map<string, HTMLCanvasElement>();

/** The disc of a category, drawn at twice its size for sharp screens. */
export function glyph(category: string, name = ''): HTMLCanvasElement {
  const kept = drawn.get(category);
  if (kept) return kept;
  const character = GLYPHS[category]?.[0] ?? (name.slice(0, 1) || '·');
  const canvas = document.createElement('canvas');
  canvas.width = SIZE * 2;
  canvas.height = SIZE * 2;
  const context = canvas.getContext('2d');
  if (context) {
    context.scale(2, 2);
    context.beginPath();
    context.arc(SIZE / 2, SIZE / 2, SIZE / 2 - 1.5, 0, Math.PI * 2);
    context.fillStyle = colorOf(category);
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

/** Many categories at once are plain dots below this zoom. */
const DISCS_FROM = 14.2;

/** Size of a disc; 0 means a dot. Discs shrink from afar so that the map under them stays readable. */
const scaleAt = (zoom: number, alone: boolean): number => {
  if (alone) return zoom < 12 ? 0.26 : zoom < DISCS_FROM ? 0.34 : 0.46;
  return zoom < DISCS_FROM ? 0 : zoom < 15.2 ? 0.36 : 0.46;
};

/** Add the facility layer; it holds the categories chosen in the state and that of the coverage shown. */
export function addFacilities(map: OlMap, app: App, onError: (error: unknown) => void): VectorSource {
  const { store } = app;
  const source = new VectorSource();
  const loaded = new Map<string, Feature[]>();
  const asked = new Map<string, AbortController>();
  const styles = new Map<string, Style>();
  const names = new Map(app.catalog.categories.map((entry) => [entry.category, entry.name_zh]));

  const layer = new VectorLayer({
    source,
    zIndex: 48,
    // Names of places make way for the discs; the discs themselves are always drawn.
    declutter: 'places',
    properties: { pick: 'facility', key: 'facilities' },
    style: (feature, resolution) => {
      const category = String(feature.get('category'));
      const zoom = map.getView().getZoomForResolution(resolution) ?? 0;
      const scale = scaleAt(zoom, category === store.get().category);
      const key = `${category}@${scale}`;
      let style = styles.get(key);
      if (!style) {
        const image =
          scale > 0
            ? new Icon({ img: glyph(category, names.get(category)), scale, declutterMode: 'obstacle' })
            : new CircleStyle({
                radius: 3.5,
                fill: new Fill({ color: colorOf(category) }),
                stroke: new Stroke({ color: '#fff', width: 1.2 }),
                declutterMode: 'none',
              });
        style = new Style({ image });
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
    layer.changed();
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
