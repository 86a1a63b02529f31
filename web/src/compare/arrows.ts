/** Households that change grid, as arrows: the largest ones, as wide as they are many. */
import Feature from 'ol/Feature';
import LineString from 'ol/geom/LineString';
import Point from 'ol/geom/Point';
import VectorLayer from 'ol/layer/Vector';
import type OlMap from 'ol/Map';
import { fromLonLat } from 'ol/proj';
import VectorSource from 'ol/source/Vector';
import Fill from 'ol/style/Fill';
import RegularShape from 'ol/style/RegularShape';
import Stroke from 'ol/style/Stroke';
import Style from 'ol/style/Style';
import Text from 'ol/style/Text';
import { number } from '../core/format';
import { FONT, WAY } from '../map/theme';
import type { Move } from '../plans/types';
import { curve, heading, type Point as Place, widthOf } from './curve';

/** An arrow shorter than this on the screen is left out, in pixels. */
const SHORTEST = 14;
/** From this length on the number of households is written on it. */
const WRITTEN = 64;
const CHOSEN = '#4b1150';

export const keyOf = (move: Move): string => `${move.old}>${move.new ?? ''}`;

/** One feature for each move that has both places; drawn by `arrowLayer`. */
export function arrowSource(): VectorSource {
  return new VectorSource();
}

/** Fill the source with the largest `count` moves; a chosen one is there whatever its size. */
export function setArrows(
  source: VectorSource,
  moves: readonly Move[],
  count: number,
  chosen: string | null,
): number {
  const shown = [...moves]
    .filter(({ from, to, households }) => from && to && households > 0)
    .sort((a, b) => b.households - a.households);
  const most = shown[0]?.households ?? 1;
  const features: Feature[] = [];
  shown.forEach((move, rank) => {
    const key = keyOf(move);
    if ((rank >= count && key !== chosen) || !move.from || !move.to) return;
    const points = curve(fromLonLat(move.from) as [number, number], fromLonLat(move.to) as [number, number]);
    const feature = new Feature(new LineString(points.map(([x, y]) => [x, y])));
    feature.setProperties(
      {
        key,
        rank,
        households: move.households,
        old: move.old,
        new: move.new,
        width: widthOf(move.households, most),
        turn: heading(points),
        chosen: key === chosen,
      },
      true,
    );
    features.push(feature);
  });
  source.clear(true);
  source.addFeatures(features);
  return shown.length;
}

function stylesOf(feature: Feature, resolution: number): Style[] {
  const line = feature.getGeometry();
  if (!(line instanceof LineString)) return [];
  const points = line.getCoordinates() as unknown as Place[];
  const chosen = Boolean(feature.get('chosen'));
  const length = line.getLength() / resolution;
  if (length < SHORTEST && !chosen) return [];
  const width = Number(feature.get('width')) + (chosen ? 1.5 : 0);
  const color = chosen ? CHOSEN : WAY;
  const zIndex = chosen ? 10_000 : Number(feature.get('households'));
  const head = (radius: number, fill: string): Style =>
    new Style({
      geometry: new Point([...(points.at(-1) ?? [0, 0])]),
      image: new RegularShape({
        points: 3,
        radius,
        rotation: Number(feature.get('turn')),
        rotateWithView: true,
        declutterMode: 'none',
        fill: new Fill({ color: fill }),
      }),
      zIndex,
    });
  // the line ends inside the head, not in front of it
  const size = 4.5 + width * 1.15;
  const cut = new LineString(
    points
      .slice(0, Math.max(2, points.length - Math.ceil(((size * 0.6) / Math.max(length, 1)) * points.length)))
      .map(([x, y]) => [x, y]),
  );
  const stroke = (color_: string, wide: number): Style =>
    new Style({
      geometry: cut,
      stroke: new Stroke({ color: color_, width: wide, lineCap: 'round' }),
      zIndex,
    });
  const styles = [
    stroke('rgba(255, 255, 255, 0.9)', width + 2.4),
    head(size + 2, 'rgba(255, 255, 255, 0.9)'),
    stroke(color, width),
    head(size, color),
  ];
  if (length > WRITTEN || chosen) {
    styles.push(
      new Style({
        geometry: new Point([...(points[Math.floor(points.length / 2)] ?? [0, 0])]),
        text: new Text({
          text: number(Math.round(Number(feature.get('households')))),
          font: `700 12px ${FONT}`,
          fill: new Fill({ color }),
          stroke: new Stroke({ color: '#fff', width: 4 }),
        }),
        zIndex,
      }),
    );
  }
  return styles;
}

/** Draw the arrows of a source over a map's grids. */
export function arrowLayer(map: OlMap, source: VectorSource): VectorLayer {
  const layer = new VectorLayer({
    source,
    zIndex: 40,
    declutter: 'moves',
    updateWhileAnimating: true,
    style: (feature, resolution) => stylesOf(feature as Feature, resolution),
  });
  map.addLayer(layer);
  return layer;
}
