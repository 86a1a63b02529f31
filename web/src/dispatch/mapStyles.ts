/** Colours and strokes of the dispatch map; roles are told apart by dash and width too. */

import type { FeatureLike } from 'ol/Feature';
import LineString from 'ol/geom/LineString';
import Point from 'ol/geom/Point';
import CircleStyle from 'ol/style/Circle';
import Fill from 'ol/style/Fill';
import RegularShape from 'ol/style/RegularShape';
import Stroke from 'ol/style/Stroke';
import OlStyle from 'ol/style/Style';
import Text from 'ol/style/Text';
import { ACCENT, FONT, INK } from '../map/theme';
import type { Stage } from './types';

/** What a grid is to the place asked about: its owner, perhaps its owner, near it, the one the report is with, the one
 * that takes it. */
export type Role = 'owner' | 'candidate' | 'near' | 'with' | 'target' | 'arrow';
export type Style =
  OlStyle | OlStyle[] | ((feature: FeatureLike, resolution: number) => OlStyle | OlStyle[] | undefined);

export const CANDIDATE = '#a85b00';
export const TARGET = '#1f6b32';
export const WITH = '#6b4aa0';
/** Stages a report can be open in. */
export const STAGE_COLORS: Readonly<Record<Stage, string>> = {
  发现上报: '#c8321f',
  指挥派遣: '#b36b00',
  处置反馈: '#1f77b8',
  事件评价: '#2f8f83',
  结案归档: '#6b7681',
};

const line = (color: string, width: number, lineDash?: number[]): OlStyle =>
  new OlStyle({ stroke: new Stroke({ color, width, ...(lineDash ? { lineDash } : {}) }) });

export const gridEdge: OlStyle[] = [line('rgba(255, 255, 255, 0.8)', 3), line('rgba(60, 76, 92, 0.75)', 1)];

const AREA: Readonly<Record<string, OlStyle[]>> = {
  community: [line('rgba(255, 255, 255, 0.9)', 4.5), line('rgba(35, 51, 68, 0.9)', 2)],
  street: [line('rgba(255, 255, 255, 0.9)', 5), line('#22303d', 2.4, [14, 5, 3, 5])],
  district: [line('rgba(255, 255, 255, 0.95)', 6), line('#22303d', 2.6)],
};
export const areaEdge = (feature: FeatureLike): OlStyle[] => AREA[String(feature.get('level'))] ?? [];

function outlined(color: string, width: number, fill: string, zIndex: number, dash?: number[]): OlStyle[] {
  return [
    new OlStyle({
      fill: new Fill({ color: fill }),
      stroke: new Stroke({ color: '#fff', width: width + 3 }),
      zIndex,
    }),
    new OlStyle({
      stroke: new Stroke({ color, width, ...(dash ? { lineDash: dash } : {}) }),
      zIndex: zIndex + 1,
    }),
  ];
}

const ROLES: Readonly<Record<Exclude<Role, 'arrow'>, OlStyle[]>> = {
  near: outlined('#5d6a77', 1.6, 'rgba(93, 106, 119, 0.06)', 0, [3, 4]),
  candidate: outlined(CANDIDATE, 2.4, 'rgba(168, 91, 0, 0.10)', 2, [9, 5]),
  with: outlined(WITH, 2.6, 'rgba(107, 74, 160, 0.10)', 4, [14, 4, 2, 4]),
  owner: outlined(ACCENT, 3.2, 'rgba(21, 88, 166, 0.13)', 6),
  target: outlined(TARGET, 3.8, 'rgba(31, 107, 50, 0.20)', 8),
};

/** Pixels an arrow stops short of the name of the grid it points to. */
const SHORT = 26;

function arrow(feature: FeatureLike, resolution: number): OlStyle[] {
  const [from, end] = (feature.getGeometry() as LineString).getCoordinates() as [number[], number[]];
  const length = Math.hypot(end[0]! - from[0]!, end[1]! - from[1]!);
  if (length < SHORT * 2 * resolution) return [];
  const share = 1 - (SHORT * resolution) / length;
  const to = [from[0]! + (end[0]! - from[0]!) * share, from[1]! + (end[1]! - from[1]!) * share];
  const shaft = new LineString([from, to]);
  const turn = Math.atan2(to[0]! - from[0]!, to[1]! - from[1]!);
  const head = new RegularShape({
    points: 3,
    radius: 10,
    scale: [0.72, 1.25],
    rotation: turn,
    fill: new Fill({ color: TARGET }),
    stroke: new Stroke({ color: '#fff', width: 1.5 }),
  });
  return [
    new OlStyle({ geometry: shaft, stroke: new Stroke({ color: '#fff', width: 6 }), zIndex: 10 }),
    new OlStyle({ geometry: shaft, stroke: new Stroke({ color: TARGET, width: 3 }), zIndex: 11 }),
    new OlStyle({ geometry: new Point(to), image: head, zIndex: 12 }),
  ];
}

export function marked(feature: FeatureLike, resolution: number): OlStyle[] {
  const role = feature.get('role') as Role;
  return role === 'arrow' ? arrow(feature, resolution) : ROLES[role];
}

export const accuracy: OlStyle[] = [
  new OlStyle({
    fill: new Fill({ color: 'rgba(200, 50, 31, 0.10)' }),
    stroke: new Stroke({ color: '#fff', width: 3 }),
  }),
  line('rgba(200, 50, 31, 0.85)', 1.4, [5, 4]),
];

const text = new Text({
  font: `600 12px ${FONT}`,
  fill: new Fill({ color: INK }),
  stroke: new Stroke({ color: 'rgba(255, 255, 255, 0.92)', width: 3.4 }),
  padding: [3, 4, 3, 4],
});
/** Pixels across that a name needs. */
const ROOM = 40;
const written = new OlStyle({ text });
export function label(feature: FeatureLike, resolution: number): OlStyle | undefined {
  // grids are named where the usual one has room, communities where it has none
  const level = feature.get('level') as 'grid' | 'community';
  const room = Number(feature.get('usual')) / resolution >= ROOM;
  if (room !== (level === 'grid') || Number(feature.get('size')) / resolution < ROOM) return undefined;
  text.setText(String(feature.get('text')));
  return written.clone();
}

/** Metres a pixel beyond which dots are small: a whole district. */
const FAR = 4;
const dots = new Map<string, OlStyle>();
/** A report: colour by stage, hollow while it has no grid, larger when it is open. */
export function report(feature: FeatureLike, resolution: number): OlStyle {
  const stage = feature.get('stage') as Stage;
  const owned = feature.get('owned') as boolean;
  const open = feature.get('open') as boolean;
  const far = resolution > FAR;
  const key = `${stage}/${owned}/${open}/${far}`;
  let style = dots.get(key);
  if (!style) {
    const color = STAGE_COLORS[stage];
    style = new OlStyle({
      image: new CircleStyle({
        radius: open ? 8 : far ? 4 : 5.5,
        fill: new Fill({ color: owned ? color : '#fff' }),
        stroke: new Stroke({ color: owned ? '#fff' : color, width: owned ? 1.6 : 2.4 }),
      }),
      zIndex: open ? 5 : owned ? 1 : 2,
    });
    dots.set(key, style);
  }
  return style;
}
