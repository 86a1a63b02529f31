/** The map of the page: the place, its neighbours, streets and water, drawn as SVG. */
import type { Geometry } from 'geojson';
import { h } from '../core/dom';
import { t } from '../i18n';
import { type PlaceAnswer, places, type Street } from './answers';
import { boxOf, draw, middleOf, pathOf, type View, viewOf } from './sketch';

const WIDTH = 640;
const HEIGHT = 440;
const STREETS: readonly [string, number][] = [
  ['residential', 4],
  ['tertiary', 6],
  ['secondary', 9],
  ['primary', 12],
];

/** Names of a community's grids must fit next to each other; `number` is what follows the community's code. */
const numberOf = (code: string): string => String(Number(code.slice(12)) || code.slice(-3));

function shape(view: View, geometry: Geometry, className: string): SVGElement {
  return draw('path', { class: className, d: pathOf(view, geometry), 'fill-rule': 'evenodd' });
}

function link(view: View, code: string, name: string, geometry: Geometry): SVGElement[] {
  const anchor = draw('a', { href: `./place?code=${encodeURIComponent(code)}`, 'aria-label': name });
  anchor.append(shape(view, geometry, 'sketch-neighbour'));
  const middle = middleOf(view, geometry);
  if (middle && middle.room > 14) {
    const text = draw('text', { class: 'sketch-name', x: middle.x.toFixed(1), y: (middle.y + 8).toFixed(1) });
    text.textContent = numberOf(code);
    anchor.append(text);
  }
  return [anchor];
}

/** Fill `host` with the sketch; streets and water follow when they come. */
export function showSketch(host: HTMLElement, place: PlaceAnswer, title: string): void {
  const view = viewOf(boxOf([place.geometry]), WIDTH, HEIGHT, place.place === 'grid' ? 0.3 : 0.06);
  const water = draw('g', { class: 'sketch-water' });
  const streets = draw('g', { class: 'sketch-streets' });
  const grids = draw(
    'g',
    {},
    ...place.neighbours.flatMap((one) => link(view, one.code, one.name, one.geometry)),
  );
  const own = shape(view, place.geometry, place.place === 'grid' ? 'sketch-own' : 'sketch-outline');
  const layers = place.place === 'grid' ? [grids, own, water, streets] : [grids, water, streets, own];
  const svg = draw(
    'svg',
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      class: 'sketch',
      role: 'group',
      'aria-label': t('place.mapOf', { name: title }),
    },
    ...layers,
  );
  if (place.place === 'grid') svg.append(shape(view, place.geometry, 'sketch-edge'));
  host.append(h('div', { class: 'sketch-frame' }), scaleBar(view));
  host.firstElementChild?.append(svg);
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
    const drawn = STREETS.filter(([cls]) => byClass.has(cls)).map(
      ([cls, width]) => [byClass.get(cls) ?? '', width] as const,
    );
    for (const [d, width] of drawn)
      streets.append(draw('path', { class: 'sketch-kerb', d, 'stroke-width': width + 2 }));
    for (const [d, width] of drawn)
      streets.append(draw('path', { class: 'sketch-street', d, 'stroke-width': width }));
  }, ignore);
}

/** The page is whole without them. */
const ignore = (): void => undefined;

/** A bar of a round length. */
function scaleBar({ bbox, width }: View): HTMLElement {
  const metres = (bbox[3] - bbox[1]) * 111_195 * (width / HEIGHT);
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
