/** The grids: tinted by households or by coverage, with their borders; areas above them. */
import type Feature from 'ol/Feature';
import VectorLayer from 'ol/layer/Vector';
import type OlMap from 'ol/Map';
import VectorSource from 'ol/source/Vector';
import Fill from 'ol/style/Fill';
import Stroke from 'ol/style/Stroke';
import Style from 'ol/style/Style';
import { type App, circlesOn } from '../core/app';
import { classOf } from '../core/classes';
import { placeShare } from '../core/shares';
import type { CoverageRow, GridProperties, StyleClass } from '../core/types';
import { hatch } from './pattern';
import * as theme from './theme';
import { readFeatures } from './viewport';

export const isSpecial = (grid: Pick<GridProperties, 'kind'>): boolean =>
  grid.kind !== 'ordinary' && grid.kind !== '';

export interface Grids {
  source: VectorSource;
  feature(code: string): Feature | null;
  /** The grid under a point of the view. Points of a shared border give the smallest code, as the service does. */
  at(coordinate: number[]): Feature | null;
  hover(feature: Feature | null): void;
}

/** The theme is strong from afar and steps back as buildings come in sight. */
const opacityAt = (zoom: number, least: number): number =>
  Math.min(0.78, Math.max(least, 0.78 - (zoom - 13.5) * 0.13));

/** Add the grid layers; they follow the coverage, the selection and the switches of the state. */
export function addGrids(map: OlMap, app: App): Grids {
  const { store, catalog } = app;
  const source = new VectorSource({ features: readFeatures(catalog.grids) });
  const byCode = new Map(source.getFeatures().map((feature) => [String(feature.get('code')), feature]));

  const { palette } = catalog;
  const filled = ({ color }: StyleClass): Style => new Style({ fill: new Fill({ color }) });
  const fills = palette.households.map(filled);
  const shares = palette.shares.map(filled);
  const none = filled(palette.noResidents);
  const special = new Style({ fill: new Fill({ color: hatch(palette.special.color) }) });
  const edges = edgeStyles(map);
  const unassessed = new Style({ fill: new Fill({ color: hatch(theme.UNASSESSED) }) });
  let covered = new Map<string, CoverageRow>();
  const shareStyle = (code: string): Style => {
    const value = placeShare(covered.get(code), store.get().who);
    if (value === 'unassessed') return unassessed;
    return value === 'none' ? none : (shares[classOf(palette.shares, value)] ?? none);
  };

  const tint = new VectorLayer({
    source,
    zIndex: 10,
    properties: { key: 'grids' },
    style: (feature) => {
      const grid = feature.getProperties() as unknown as GridProperties;
      const { coverage } = store.get();
      if (coverage) return shareStyle(coverage.by === 'community' ? grid.community : grid.code);
      if (isSpecial(grid)) return special;
      return fills[classOf(palette.households, grid.households)] ?? none;
    },
  });
  const edge = new VectorLayer({
    source,
    zIndex: 30,
    properties: { key: 'grids' },
    style: (_feature, resolution) => edges('grid', resolution),
  });
  const areas = new VectorLayer({
    source: new VectorSource({ features: readFeatures(catalog.areas) }),
    zIndex: 31,
    properties: { key: 'areas' },
    style: (feature, resolution) => edges(String(feature.get('level')), resolution),
  });

  const hovered = new VectorSource();
  const chosen = new VectorSource();
  const hover = new VectorLayer({
    source: hovered,
    zIndex: 36,
    style: new Style({ stroke: new Stroke({ color: 'rgba(21, 88, 166, 0.9)', width: 2 }) }),
  });
  const outline = (halo: number, width: number, alpha: number): Style[] => [
    new Style({ stroke: new Stroke({ color: '#fff', width: halo }) }),
    new Style({
      stroke: new Stroke({ color: theme.ACCENT, width }),
      fill: new Fill({ color: `rgba(21, 88, 166, ${alpha})` }),
    }),
  ];
  const loud = outline(7, 3.5, 0.07);
  const quiet = outline(4, 1.8, 0.02);
  const choice = new VectorLayer({
    source: chosen,
    zIndex: 37,
    // Ways and ranges lead where they are asked for; the grid's outline makes room for them.
    style: () => (store.get().reach ? quiet : loud),
  });
  for (const layer of [tint, edge, areas, hover, choice]) map.addLayer(layer);

  // Buildings with colours of their own lead where they are in sight; households under their scores only disturb.
  const soften = (): void => {
    const on = circlesOn(store.get());
    const opacity = opacityAt(map.getView().getZoom() ?? 0, on ? 0.22 : 0.42);
    tint.setOpacity(on && store.get().near && !store.get().category ? 0.18 : opacity);
  };
  map.getView().on('change:resolution', soften);
  store.on(['panel', 'category', 'near'], soften);
  soften();

  const show = (): void => {
    const { layers, theme: other } = store.get();
    tint.setVisible(layers.grids && other === null);
    edge.setVisible(layers.grids);
    hover.setVisible(layers.grids);
    choice.setVisible(layers.grids);
    areas.setVisible(layers.areas);
  };
  store.on(['layers', 'theme'], show);
  show();
  store.on(['coverage', 'who'], ({ coverage }) => {
    covered = new Map((coverage?.rows ?? []).map((row) => [row.code, row]));
    tint.changed();
  });
  store.on(['reach'], () => chosen.changed());
  store.on(['selection'], ({ selection }) => {
    chosen.clear();
    const feature = byCode.get(selection?.answer?.owner?.code ?? '');
    if (feature) chosen.addFeature(feature);
  });

  return {
    source,
    feature: (code) => byCode.get(code) ?? null,
    at: (coordinate) =>
      source
        .getFeaturesAtCoordinate(coordinate)
        .sort((a, b) => (String(a.get('code')) < String(b.get('code')) ? -1 : 1))[0] ?? null,
    hover(feature) {
      if (hovered.getFeatures()[0] === feature) return;
      hovered.clear();
      if (feature) hovered.addFeature(feature);
    },
  };
}

interface Edge {
  halo: [color: string, width: number];
  line: [color: string, width: number];
  dash?: number[];
  rank: number;
}

const EDGES: Record<string, Edge> = {
  grid: { halo: ['rgba(255, 255, 255, 0.75)', 2.6], line: ['rgba(38, 56, 74, 0.72)', 1], rank: 0 },
  community: { halo: ['rgba(255, 255, 255, 0.85)', 3.8], line: ['rgba(35, 51, 68, 0.9)', 1.6], rank: 1 },
  street: { halo: ['rgba(255, 255, 255, 0.9)', 5], line: ['#22303d', 2.4], dash: [14, 5, 3, 5], rank: 3 },
  district: { halo: ['rgba(255, 255, 255, 0.95)', 6], line: ['#22303d', 2.4], rank: 5 },
};

/** Border styles by level and resolution: full width near, hairlines from afar. */
function edgeStyles(map: OlMap): (level: string, resolution: number) => Style[] | undefined {
  const kept = new Map<string, Style[]>();
  return (level, resolution) => {
    const edge = EDGES[level];
    if (!edge) return undefined;
    const zoom = map.getView().getZoomForResolution(resolution) ?? 0;
    const share = Math.round(Math.min(1, Math.max(0.35, (zoom - 10) / 3.5)) * 20) / 20;
    const key = `${level}@${share}`;
    let styles = kept.get(key);
    if (!styles) {
      const line = { color: edge.line[0], width: edge.line[1] * share };
      styles = [
        new Style({
          stroke: new Stroke({ color: edge.halo[0], width: edge.halo[1] * share }),
          zIndex: edge.rank,
        }),
        new Style({
          stroke: new Stroke(edge.dash ? { ...line, lineDash: edge.dash } : line),
          zIndex: edge.rank + 1,
        }),
      ];
      kept.set(key, styles);
    }
    return styles;
  };
}
