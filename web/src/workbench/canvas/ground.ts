/** The ground under the plan: land, water, streets, buildings of the service's own data, as one picture. */
import type Feature from 'ol/Feature';
import type { Geometry, LineString, MultiLineString, MultiPolygon, Polygon } from 'ol/geom';
import type OlMap from 'ol/Map';
import { service } from '../../core/client';
import { BUILDINGS_FROM, classesAt, widthAt } from '../../map/basemap';
import * as theme from '../../map/theme';
import { type Viewport, viewport } from '../../map/viewport';
import type { Look } from './scene';
import type { Brush } from './paintPlan';

type StreetClass = ReturnType<typeof classesAt>[number];

/** Widths in pixels at zooms 12, 14, 16 and 18. */
const WIDTH: Readonly<Record<StreetClass, readonly number[]>> = {
  primary: [1.6, 3.4, 7, 16],
  secondary: [1.2, 2.6, 6, 14],
  tertiary: [0.8, 2, 5, 11],
  residential: [0.5, 1.2, 3.2, 8],
  service: [0.4, 0.8, 2, 5],
  foot: [0.4, 0.6, 1, 1.6],
  rail: [0.8, 1.2, 1.8, 2.6],
};

export interface Ground {
  paint(brush: Brush, look: Look, zoom: number, origin: readonly [number, number]): void;
  refresh(): void;
}

function trace(
  context: CanvasRenderingContext2D,
  flat: readonly number[],
  from: number,
  to: number,
  step: number,
  [ox, oy]: readonly [number, number],
): void {
  context.moveTo(flat[from]! - ox, flat[from + 1]! - oy);
  for (let at = from + step; at < to; at += step) context.lineTo(flat[at]! - ox, flat[at + 1]! - oy);
}

/** Add a feature's lines or rings to the current path. */
function traceFeature(
  context: CanvasRenderingContext2D,
  feature: Feature<Geometry>,
  origin: readonly [number, number],
): void {
  const geometry = feature.getGeometry() as LineString | MultiLineString | Polygon | MultiPolygon | undefined;
  if (!geometry) return;
  const flat = geometry.getFlatCoordinates();
  const step = geometry.getStride();
  const type = geometry.getType();
  let from = 0;
  const ends =
    type === 'LineString'
      ? [flat.length]
      : type === 'MultiPolygon'
        ? (geometry as MultiPolygon).getEndss().flat()
        : (geometry as Polygon | MultiLineString).getEnds();
  for (const to of ends) {
    trace(context, flat, from, to, step, origin);
    from = to;
  }
}

const isArea = (feature: Feature<Geometry>): boolean =>
  feature.getGeometry()?.getType().includes('Polygon') ?? false;

/** Keep what is in sight loaded; `changed` is called when something new has come. */
export function addGround(
  map: OlMap,
  look: () => Look,
  changed: () => void,
  onError: (error: unknown) => void,
): Ground {
  const water = viewport(map, {
    minZoom: 0,
    wanted: () => look().water,
    fetch: (bbox, _zoom, signal) => service.water(bbox, signal),
    onError,
  });
  const streets = viewport(map, {
    minZoom: 9,
    wanted: () => look().streets,
    key: (zoom) => classesAt(zoom).join(),
    fetch: (bbox, zoom, signal) => service.streets(bbox, classesAt(zoom), signal),
    onError,
  });
  const buildings = viewport(map, {
    minZoom: BUILDINGS_FROM,
    wanted: () => look().buildings,
    fetch: (bbox, _zoom, signal) => service.buildings(bbox, signal),
    onError,
  });
  const parts: readonly Viewport[] = [water, streets, buildings];
  let waiting = 0;
  for (const { source } of parts) {
    source.on('change', () => {
      window.clearTimeout(waiting);
      waiting = window.setTimeout(changed, 30);
    });
  }

  const inBox = (
    part: Viewport,
    box: Brush['box'],
    [ox, oy]: readonly [number, number],
  ): Feature<Geometry>[] =>
    part.source.getFeaturesInExtent([box[0] + ox, box[1] + oy, box[2] + ox, box[3] + oy]);

  return {
    refresh: () => parts.forEach((part) => part.refresh()),
    paint(brush, shown, zoom, origin) {
      const { context, box, resolution } = brush;
      context.lineJoin = 'round';
      context.lineCap = 'round';
      if (shown.water) {
        for (const feature of inBox(water, box, origin)) {
          context.beginPath();
          traceFeature(context, feature, origin);
          if (isArea(feature)) {
            context.fillStyle = theme.WATER;
            context.fill('evenodd');
          } else {
            context.strokeStyle = theme.WATER;
            context.lineWidth = widthAt([3, 6, 14, 32], zoom) * resolution;
            context.stroke();
          }
        }
      }
      if (shown.buildings && zoom >= BUILDINGS_FROM) {
        context.beginPath();
        for (const feature of inBox(buildings, box, origin)) traceFeature(context, feature, origin);
        context.fillStyle = theme.BUILDING;
        context.strokeStyle = theme.BUILDING_EDGE;
        context.lineWidth = 0.8 * resolution;
        context.fill('evenodd');
        context.stroke();
      }
      if (!shown.streets) return;
      const byClass = new Map<StreetClass, Feature<Geometry>[]>();
      for (const feature of inBox(streets, box, origin)) {
        const cls = feature.get('cls') as StreetClass;
        const held = byClass.get(cls);
        if (held) held.push(feature);
        else byClass.set(cls, [feature]);
      }
      for (const casing of [true, false]) {
        for (const cls of classesAt(zoom)) {
          const features = byClass.get(cls);
          if (!features || (casing && cls === 'foot')) continue;
          context.beginPath();
          for (const feature of features) traceFeature(context, feature, origin);
          const width = widthAt(WIDTH[cls], zoom);
          context.lineWidth = (casing ? width + (zoom < 13 ? 0.8 : 1.4) : width) * resolution;
          context.strokeStyle = casing
            ? theme.STREET_EDGE
            : cls === 'rail'
              ? theme.RAIL
              : cls === 'foot'
                ? theme.FOOTWAY
                : theme.STREET;
          context.stroke();
        }
      }
    },
  };
}
