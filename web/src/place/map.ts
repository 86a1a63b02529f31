/** The map of the page: the place, its neighbours, streets and water, drawn as SVG. */
import type { Geometry } from 'geojson';
import { h } from '../core/dom';
import { t } from '../i18n';
import { type Neighbour, type PlaceAnswer, places, type Street } from './answers';
import { boxOf, draw, middleOf, pathOf, type View, viewOf } from './sketch';

const WIDTH = 640;
const HEIGHT = 440;
/** Classes and how many metres wide they are drawn. */
const STREETS: readonly [string, number][] = [
  ['residential', 7],
  ['tertiary', 11],
  ['secondary', 16],
  ['primary', 22],
];

/** What follows the community's code: full names have no room. */
const numberOf = (code: string): string => String(Number(code.slice(12)) || code.slice(-3));

function shape(view: View, geometry: Geometry, className: string): SVGElement {
  return draw('path', { class: className, d: pathOf(view, geometry), 'fill-rule': 'evenodd' });
}

function link(view: View, { code, name, geometry }: Neighbour): SVGElement {
  const anchor = draw('a', { href: `./place?code=${encodeURIComponent(code)}`, 'aria-label': name });
  anchor.append(shape(view, geometry, 'sketch-neighbour'));
  return anchor;
}

function label(view: View, { code, geometry }: Neighbour): SVGElement[] {
  const middle = middleOf(view, geometry);
  if (!middle || middle.room < 15) return [];
  const text = draw('text', { class: 'sketch-name', x: middle.x.toFixed(1), y: (middle.y + 9).toFixed(1) });
  text.textContent = numberOf(code);
  return [text];
}

/** Fill `host` with the sketch; streets and water follow when they come. */
export function showSketch(host: HTMLElement, place: PlaceAnswer, title: string): void {
  const view = viewOf(boxOf([place.geometry]), WIDTH, HEIGHT, place.place === 'grid' ? 0.3 : 0.06);
  const water = draw('g', { class: 'sketch-water' });
  const streets = draw('g', { class: 'sketch-streets' });
  const grids = draw('g', {}, ...place.neighbours.map((one) => link(view, one)));
  const names = draw('g', { class: 'sketch-names' }, ...place.neighbours.flatMap((one) => label(view, one)));
  const isGrid = place.place === 'grid';
  const own = isGrid ? [shape(view, place.geometry, 'sketch-own')] : [];
  const edge = shape(view, place.geometry, 'sketch-edge');
  const svg = draw(
    'svg',
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      class: 'sketch',
      role: 'group',
      'aria-label': t('place.mapOf', { name: title }),
    },
    ...[grids, ...own, water, streets, edge, names],
  );
  const frame = h('div', { class: 'sketch-frame' });
  frame.append(svg);
  host.append(frame, scaleBar(view));
  void places.water(view.bbox).then(({ features }) => {
    for (const { geometry } of features) {
      water.append(shape(view, geometry, geometry.type.includes('Polygon') ? 'sketch-lake' : 'sketch-river'));
    }
  }, ignore);
  void places.streets(view.bbox).then(({ features }) => {
    const byClass = new Map<string, string>();
    for (const { geometry, properties } of features) {
      const { cls } = properties as Street;
      byClass.set(cls, (byClass.get(cls) ?? '') + pathOf(view, geometry));
    }
    const pixels = WIDTH / metresAcross(view);
    const drawn = STREETS.filter(([cls]) => byClass.has(cls)).map(
      ([cls, metres]) => [byClass.get(cls) ?? '', Math.min(Math.max(metres * pixels, 1.5), 14)] as const,
    );
    for (const [d, width] of drawn)
      streets.append(draw('path', { class: 'sketch-kerb', d, 'stroke-width': width + 2 }));
    for (const [d, width] of drawn)
      streets.append(draw('path', { class: 'sketch-street', d, 'stroke-width': width }));
  }, ignore);
}

/** The page is whole without them. */
const ignore = (): void => undefined;

/** Ground the width of the sketch shows. */
const metresAcross = ({ bbox, width, height }: View): number =>
  (bbox[3] - bbox[1]) * 111_195 * (width / height);

/** A bar of a round length. */
function scaleBar(view: View): HTMLElement {
  const metres = metresAcross(view);
  const rounds = [20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];
  const length = rounds.filter((one) => one < metres / 3).pop() ?? 10;
  const bar = h('span', { class: 'sketch-bar', 'aria-hidden': 'true' });
  bar.style.width = `${(length / metres) * 100}%`;
  return h(
    'div',
    { class: 'sketch-scale' },
    bar,
    h('span', {
      text:
        length < 1000 ? t('unit.metres', { count: length }) : t('unit.kilometres', { count: length / 1000 }),
    }),
  );
}
