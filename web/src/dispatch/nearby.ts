/** Grids around a place, measured on the map's own geometries: what lies on the other side of a border. */

import { containsCoordinate, type Extent } from 'ol/extent';
import type Feature from 'ol/Feature';
import { fromLonLat, toLonLat } from 'ol/proj';
import type VectorSource from 'ol/source/Vector';
import { getDistance } from 'ol/sphere';
import type { LonLat } from '../core/types';

export const DIRECTIONS = ['n', 'ne', 'e', 'se', 's', 'sw', 'w', 'nw'] as const;
export type Direction = (typeof DIRECTIONS)[number];

export interface Near {
  code: string;
  /** From the place to the grid; 0 inside it. */
  metres: number;
  direction: Direction | null;
}

/** The way from one place to another, as one of eight directions. */
export function directionOf(from: LonLat, to: LonLat): Direction {
  const east = (to[0] - from[0]) * Math.cos((from[1] * Math.PI) / 180);
  const angle = Math.atan2(east, to[1] - from[1]);
  return DIRECTIONS[(Math.round(angle / (Math.PI / 4)) + 8) % 8]!;
}

/** Grids within `metres` of a place, the nearest first. */
export function nearby(source: VectorSource, point: LonLat, metres: number, limit: number): Near[] {
  const at = fromLonLat(point);
  const reach = metres / Math.cos((point[1] * Math.PI) / 180);
  const box: Extent = [at[0]! - reach, at[1]! - reach, at[0]! + reach, at[1]! + reach];
  const found: Near[] = [];
  source.forEachFeatureIntersectingExtent(box, (feature: Feature) => {
    const geometry = feature.getGeometry();
    if (!geometry) return;
    const code = String(feature.get('code'));
    if (containsCoordinate(geometry.getExtent(), at) && geometry.intersectsCoordinate(at)) {
      found.push({ code, metres: 0, direction: null });
      return;
    }
    const there = toLonLat(geometry.getClosestPoint(at)) as LonLat;
    const away = getDistance(point, there);
    if (away <= metres) found.push({ code, metres: away, direction: directionOf(point, there) });
  });
  return found.sort((a, b) => a.metres - b.metres || (a.code < b.code ? -1 : 1)).slice(0, limit);
}
