/** A small map of a place as plain SVG: enough to know it again, a hundredth of a map library. */
import type { Geometry, Position } from 'geojson';
import type { Bbox } from '../core/types';

const SVG = 'http://www.w3.org/2000/svg';

export interface View {
  /** Degrees of the corners: west, south, east, north. */
  bbox: Bbox;
  width: number;
  height: number;
}

/** Every line and ring of a geometry. */
export function linesOf(geometry: Geometry): Position[][] {
  switch (geometry.type) {
    case 'LineString':
      return [geometry.coordinates];
    case 'MultiLineString':
    case 'Polygon':
      return geometry.coordinates;
    case 'MultiPolygon':
      return geometry.coordinates.flat();
    case 'GeometryCollection':
      return geometry.geometries.flatMap(linesOf);
    default:
      return [];
  }
}

export function boxOf(geometries: readonly Geometry[]): Bbox {
  const box: Bbox = [Infinity, Infinity, -Infinity, -Infinity];
  for (const line of geometries.flatMap(linesOf)) {
    for (const [x = 0, y = 0] of line) {
      box[0] = Math.min(box[0], x);
      box[1] = Math.min(box[1], y);
      box[2] = Math.max(box[2], x);
      box[3] = Math.max(box[3], y);
    }
  }
  return box;
}

/** The view of a width and height that shows a box in the middle with room around; degrees of longitude are shorter. */
export function viewOf(box: Bbox, width: number, height: number, room = 0.12): View {
  const squeeze = Math.cos((((box[1] + box[3]) / 2) * Math.PI) / 180);
  const wide = Math.max((box[2] - box[0]) * squeeze, 1e-6) * (1 + 2 * room);
  const high = Math.max(box[3] - box[1], 1e-6) * (1 + 2 * room);
  const scale = Math.min(width / wide, height / high);
  const [x, y] = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
  const [dx, dy] = [width / scale / squeeze / 2, height / scale / 2];
  return { bbox: [x - dx, y - dy, x + dx, y + dy], width, height };
}

export function toPixel({ bbox, width, height }: View, [x = 0, y = 0]: Position): [number, number] {
  return [((x - bbox[0]) / (bbox[2] - bbox[0])) * width, ((bbox[3] - y) / (bbox[3] - bbox[1])) * height];
}

/** SVG path data of a geometry, rounded to tenths of a pixel; steps shorter than half a pixel are left out. */
export function pathOf(view: View, geometry: Geometry): string {
  const closed = geometry.type.includes('Polygon');
  return linesOf(geometry)
    .map((line) => {
      let last: [number, number] = [Infinity, Infinity];
      const steps: string[] = [];
      line.forEach((position, at) => {
        const pixel = toPixel(view, position);
        const short = Math.hypot(pixel[0] - last[0], pixel[1] - last[1]) < 0.5;
        if (short && at < line.length - 1) return;
        steps.push(`${pixel[0].toFixed(1)} ${pixel[1].toFixed(1)}`);
        last = pixel;
      });
      return steps.length > 1 ? `M${steps.join('L')}${closed ? 'Z' : ''}` : '';
    })
    .join('');
}

/** An element of the sketch. */
export function draw(
  tag: string,
  attributes: Record<string, string | number>,
  ...children: Node[]
): SVGElement {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** A point well inside a polygon: of many on a raster, the one farthest from its outline. */
export function middleOf(view: View, geometry: Geometry): { x: number; y: number; room: number } | null {
  const rings = linesOf(geometry).map((ring) => ring.map((position) => toPixel(view, position)));
  const xs = rings.flat().map(([x]) => x);
  const ys = rings.flat().map(([, y]) => y);
  const [left, right] = [Math.max(Math.min(...xs), 0), Math.min(Math.max(...xs), view.width)];
  const [top, bottom] = [Math.max(Math.min(...ys), 0), Math.min(Math.max(...ys), view.height)];
  let best: { x: number; y: number; room: number } | null = null;
  for (let row = 1; row < 16; row += 1) {
    for (let column = 1; column < 16; column += 1) {
      const x = left + ((right - left) * column) / 16;
      const y = top + ((bottom - top) * row) / 16;
      const room = Math.min(roomAt(rings, x, y), x, y, view.width - x, view.height - y);
      if (room > (best?.room ?? 0)) best = { x, y, room };
    }
  }
  return best;
}

/** Distance to the outline from a point inside, 0 outside (even-odd). */
function roomAt(rings: readonly [number, number][][], x: number, y: number): number {
  let inside = false;
  let least = Infinity;
  for (const ring of rings) {
    for (let at = 1; at < ring.length; at += 1) {
      const [ax, ay] = ring[at - 1]!;
      const [bx, by] = ring[at]!;
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
      const long = (bx - ax) ** 2 + (by - ay) ** 2;
      const share =
        long > 0 ? Math.min(Math.max(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / long, 0), 1) : 0;
      least = Math.min(least, Math.hypot(x - ax - share * (bx - ax), y - ay - share * (by - ay)));
    }
  }
  return inside ? least : 0;
}
