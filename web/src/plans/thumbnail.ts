/** A plan as a small picture: its grids tinted by the band, drawn straight from their coordinates. */
import type { Feature, Geometry, Position } from 'geojson';
import { bandClasses, classOf } from '../core/classes';
import { mix } from '../core/palette';
import type { Band } from '../workbench/model/types';
import type { PlanGridProperties } from './types';

type Grid = Feature<Geometry, PlanGridProperties>;

/** Rings of a polygon or of all polygons of several. */
export function ringsOf(geometry: Geometry | null): Position[][] {
  if (geometry?.type === 'Polygon') return geometry.coordinates;
  if (geometry?.type === 'MultiPolygon') return geometry.coordinates.flat();
  return [];
}

/** West, south, east, north of all rings; null without any. */
export function boxOf(shapes: readonly Position[][][]): [number, number, number, number] | null {
  const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const rings of shapes) {
    for (const ring of rings) {
      for (const [x = 0, y = 0] of ring) {
        if (x < box[0]) box[0] = x;
        if (y < box[1]) box[1] = y;
        if (x > box[2]) box[2] = x;
        if (y > box[3]) box[3] = y;
      }
    }
  }
  return box[0] <= box[2] ? box : null;
}

/** Pixels a vertex must be from the last one to be drawn. */
const STEP = 0.6;

function trace(
  context: CanvasRenderingContext2D,
  rings: Position[][],
  at: (p: Position) => [number, number],
) {
  context.beginPath();
  for (const ring of rings) {
    let [px, py] = [Infinity, Infinity];
    ring.forEach((position, index) => {
      const [x, y] = at(position);
      if (index === 0) context.moveTo(x, y);
      else if (Math.abs(x - px) + Math.abs(y - py) > STEP) context.lineTo(x, y);
      else return;
      [px, py] = [x, y];
    });
    context.closePath();
  }
}

/** Draw grids into a canvas of `width` × `height` CSS pixels, the whole plan inside, north up. */
export function drawThumbnail(
  canvas: HTMLCanvasElement,
  grids: readonly Grid[],
  band: Band,
  width: number,
  height: number,
): void {
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext('2d');
  const shapes = grids.map(({ geometry }) => ringsOf(geometry));
  const box = boxOf(shapes);
  if (!context || !box) return;
  context.scale(ratio, ratio);
  const [west, south, east, north] = box;
  // a degree of longitude is shorter than one of latitude by this
  const narrow = Math.cos((((south + north) / 2) * Math.PI) / 180);
  const margin = 6;
  const scale = Math.min(
    (width - 2 * margin) / Math.max((east - west) * narrow, 1e-9),
    (height - 2 * margin) / Math.max(north - south, 1e-9),
  );
  const left = (width - (east - west) * narrow * scale) / 2;
  const top = (height - (north - south) * scale) / 2;
  const at = ([x = 0, y = 0]: Position): [number, number] => [
    left + (x - west) * narrow * scale,
    top + (north - y) * scale,
  ];
  const classes = bandClasses(band);
  context.lineJoin = 'round';
  context.lineWidth = grids.length > 120 ? 0.4 : 0.8;
  context.strokeStyle = 'rgba(40, 56, 72, 0.75)';
  grids.forEach(({ properties }, index) => {
    const rings = shapes[index];
    if (!rings?.length) return;
    trace(context, rings, at);
    const ordinary = properties.kind === 'ordinary' || properties.kind === '';
    const color = classes[classOf(classes, properties.households)]?.color;
    context.fillStyle = ordinary && color ? mix(color, '#ffffff', 0.18) : '#d9d3e4';
    context.fill('evenodd');
    context.stroke();
  });
}
