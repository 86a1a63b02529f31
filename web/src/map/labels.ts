/** Names on the map, one size of place at a time, never one over another. */

import { getHeight, getWidth } from 'ol/extent';
import Feature from 'ol/Feature';
import MultiPolygon from 'ol/geom/MultiPolygon';
import Point from 'ol/geom/Point';
import Polygon from 'ol/geom/Polygon';
import VectorLayer from 'ol/layer/Vector';
import type OlMap from 'ol/Map';
import { fromLonLat } from 'ol/proj';
import VectorSource from 'ol/source/Vector';
import Fill from 'ol/style/Fill';
import Stroke from 'ol/style/Stroke';
import Style from 'ol/style/Style';
import Text from 'ol/style/Text';
import type { App } from '../core/app';
import { number, percent } from '../core/format';
import { shortNameIn } from '../core/names';
import { placeShare } from '../core/shares';
import type { CoverageRow, GridProperties } from '../core/types';
import { nameOf, onLang, t } from '../i18n';
import * as theme from './theme';
import { readFeatures } from './viewport';

/** Pixels a place must measure across before its name is written. */
const ROOM = { grid: 38, twoLines: 44, community: 58 };

/** Where to write on a polygon: inside its largest part. */
function inside(feature: Feature): Point | null {
  const geometry = feature.getGeometry();
  if (geometry instanceof Polygon) return geometry.getInteriorPoint();
  if (!(geometry instanceof MultiPolygon)) return null;
  const parts = geometry.getPolygons();
  const largest = parts.reduce((best, part) => (part.getArea() > best.getArea() ? part : best), parts[0]!);
  return largest.getInteriorPoint();
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;

/** Side of the square with a feature's extent, in view units. */
function sizeOf(feature: Feature): number {
  const extent = feature.getGeometry()?.getExtent();
  return extent ? Math.sqrt(getWidth(extent) * getHeight(extent)) : 0;
}

function text(size: number, weight: number, color: string): Text {
  return new Text({
    font: `${weight} ${size}px ${theme.FONT}`,
    fill: new Fill({ color }),
    stroke: new Stroke({ color: 'rgba(255, 255, 255, 0.92)', width: 3.4 }),
    padding: [3, 4, 3, 4],
  });
}

interface Label {
  level: 'grid' | 'community' | 'street';
  size: number;
  grid?: GridProperties;
  share?: number | null;
  name?: { name: string; name_en: string | null };
}

/** Add the label layer: grids near, communities further off, streets (sub-districts) from afar. */
export function addLabels(map: OlMap, app: App): VectorSource {
  const { store, catalog } = app;
  const source = new VectorSource();
  const sizes = { grid: [] as number[], community: [] as number[] };

  function put(at: Point | null, label: Label): void {
    if (!at) return;
    const feature = new Feature(at);
    feature.set('label', label, true);
    source.addFeature(feature);
  }
  for (const feature of readFeatures(catalog.grids)) {
    const grid = feature.getProperties() as unknown as GridProperties;
    const size = sizeOf(feature);
    sizes.grid.push(size);
    const at = grid.label_point ? new Point(fromLonLat(grid.label_point)) : inside(feature);
    put(at, { level: 'grid', size, grid });
  }
  for (const feature of readFeatures(catalog.areas)) {
    const level = String(feature.get('level'));
    if (level !== 'community' && level !== 'street') continue;
    const size = sizeOf(feature);
    if (level === 'community') sizes.community.push(size);
    const name = { name: String(feature.get('name')), name_en: feature.get('name_en') as string | null };
    put(inside(feature), { level, size, name });
  }
  const usual = { grid: median(sizes.grid), community: median(sizes.community) };

  /** The kind of place written at a resolution. */
  function levelAt(resolution: number): Label['level'] {
    if (usual.grid / resolution >= ROOM.grid || usual.community === 0) return 'grid';
    return usual.community / resolution >= ROOM.community ? 'community' : 'street';
  }

  const styles = {
    grid: new Style({ text: text(12, 600, theme.INK) }),
    community: new Style({ text: text(13, 600, '#22303d') }),
    street: new Style({ text: text(15, 700, '#22303d') }),
  };
  const layer = new VectorLayer({
    source,
    zIndex: 40,
    properties: { key: 'labels' },
    declutter: 'places',
    style: (feature, resolution) => {
      const label = feature.get('label') as Label;
      if (label.level !== levelAt(resolution)) return undefined;
      const style = styles[label.level];
      const room = label.size / resolution;
      if (label.grid) {
        if (room < ROOM.grid * 0.7) return undefined;
        const first = shortNameIn(catalog, label.grid);
        style.getText()?.setText(room < ROOM.twoLines ? first : twoLines(first, second(label.grid)));
      } else if (label.name) {
        style.getText()?.setText(nameOf(label.name));
      }
      return style.clone();
    },
  });
  map.addLayer(layer);

  function second(grid: GridProperties): string {
    const { coverage } = store.get();
    if (!coverage) return t('unit.households', { count: number(grid.households) });
    const value = placeShare(
      rows.get(coverage.by === 'community' ? grid.community : grid.code),
      store.get().who,
    );
    return typeof value === 'number' ? percent(value) : '–';
  }
  let rows = new Map<string, CoverageRow>();
  store.on(['coverage', 'who'], ({ coverage }) => {
    rows = new Map((coverage?.rows ?? []).map((row) => [row.code, row]));
    layer.changed();
  });
  const follow = (): void => layer.setVisible(store.get().layers.labels && store.get().layers.grids);
  store.on(['layers'], follow);
  follow();
  onLang(() => layer.changed());
  return source;
}

function twoLines(first: string, second: string): string[] {
  return [first, `600 12px ${theme.FONT}`, '\n', '', second, `400 11px ${theme.FONT}`];
}
