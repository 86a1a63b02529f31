/** Which community a place lies in. */
import type { Feature, Geometry } from 'geojson';
import { fromLonLat } from 'ol/proj';
import type { AreaProperties, LonLat } from '../core/types';
import { readFeatures } from './viewport';

/** Code of the community at a place, or of the one whose box is nearest; null when there is none. */
export function communityAt(
  areas: readonly Feature<Geometry, AreaProperties>[],
  place: LonLat,
): string | null {
  const at = fromLonLat(place);
  let nearest: string | null = null;
  let least = Infinity;
  for (const feature of readFeatures({
    features: areas.filter(({ properties }) => properties.level === 'community'),
  })) {
    const geometry = feature.getGeometry();
    if (!geometry) continue;
    const code = String(feature.get('code'));
    if (geometry.intersectsCoordinate(at)) return code;
    const [x = 0, y = 0] = geometry.getClosestPoint(at);
    const away = Math.hypot(x - at[0]!, y - at[1]!);
    if (away < least) [least, nearest] = [away, code];
  }
  return nearest;
}
