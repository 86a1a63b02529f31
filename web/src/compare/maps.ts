/** Both plans on maps that move together: side by side, or one over the other with a handle to draw between them. */
import type Feature from 'ol/Feature';
import { extend, type Extent } from 'ol/extent';
import type VectorLayer from 'ol/layer/Vector';
import type OlMap from 'ol/Map';
import type { FeatureCollection, Geometry } from 'geojson';
import { bandClasses, classOf } from '../core/classes';
import { h } from '../core/dom';
import { number } from '../core/format';
import { t } from '../i18n';
import { createPlanMap, type GridLook, type PlanMap, planView } from '../plans/map';
import type { Comparison, Move, PlanGridProperties } from '../plans/types';
import type { Band } from '../workbench/model/types';
import { arrowLayer, arrowSource, setArrows } from './arrows';
import { HUES, pairColours, type Shape } from './colours';

export type Way = 'side' | 'swipe';
export type Tint = 'same' | 'band';
export type Grids = FeatureCollection<Geometry, PlanGridProperties>;

const STEP = 2;
const LEAP = 10;

export interface CompareMaps {
  element: HTMLElement;
  /** The map of the plan after, which tests look at. */
  map: OlMap;
  sources: Record<'before' | 'after' | 'arrows', PlanMap['grids']>;
  show: (before: Grids, after: Grids, found: Comparison, band: Band) => void;
  names: (before: string, after: string) => void;
  way: (way: Way) => void;
  tint: (tint: Tint) => void;
  /** Draw the largest `count` arrows; says how many there could be. */
  arrows: (moves: readonly Move[], count: number, chosen: string | null) => number;
  goTo: (move: Move) => void;
  fit: (animate?: boolean) => void;
  /** Draw both at once, for the size they have now. */
  draw: () => void;
  say: () => void;
}

const shapesOf = (grids: Grids): Shape[] =>
  grids.features.map(({ properties, geometry }) => ({ code: properties.code, geometry }));

/** Digits that tell grids of one place apart: what follows the twelve of the community. */
const short = (code: string): string => code.slice(12) || code;

export function createMaps(pick: (key: string | null) => void): CompareMaps {
  const view = planView();
  const panes = (['before', 'after'] as const).map((side) => {
    const target = h('div', { class: 'compare-map', tabindex: '0' });
    const name = h('div', { class: 'compare-name' });
    return { side, target, name, pane: h('div', { class: `compare-pane pane-${side}` }, target, name) };
  });
  const [left, right] = panes as [(typeof panes)[number], (typeof panes)[number]];
  const handle = h('div', {
    class: 'swipe',
    role: 'slider',
    tabindex: '0',
    'aria-valuemin': '0',
    'aria-valuemax': '100',
  });
  handle.append(h('span', { class: 'swipe-grip', 'aria-hidden': 'true', text: '⇔' }));
  const element = h('div', { class: 'compare-maps is-side' }, left.pane, right.pane, handle);

  const before = createPlanMap(left.target, view);
  const after = createPlanMap(right.target, view);
  const arrows = arrowSource();
  const layers: VectorLayer[] = [arrowLayer(before.map, arrows), arrowLayer(after.map, arrows)];
  const [lower] = layers as [VectorLayer, VectorLayer];

  let now: Way = 'side';
  let tinted: Tint = 'same';
  let at = 50;
  let shown: { found: Comparison; band: Band; colours: ReturnType<typeof pairColours> } | null = null;

  // --- the handle ---
  function place(next: number): void {
    at = Math.min(100, Math.max(0, next));
    handle.style.left = `${at}%`;
    handle.setAttribute('aria-valuenow', String(Math.round(at)));
    right.pane.style.clipPath = now === 'swipe' ? `inset(0 0 0 ${at}%)` : '';
  }
  handle.addEventListener('pointerdown', (event) => {
    handle.setPointerCapture(event.pointerId);
    event.preventDefault();
    handle.focus();
  });
  handle.addEventListener('pointermove', (event) => {
    if (!handle.hasPointerCapture(event.pointerId)) return;
    const box = element.getBoundingClientRect();
    place(((event.clientX - box.left) / box.width) * 100);
  });
  handle.addEventListener('keydown', (event) => {
    const by: Record<string, number> = {
      ArrowLeft: at - STEP,
      ArrowDown: at - STEP,
      ArrowRight: at + STEP,
      ArrowUp: at + STEP,
      PageDown: at - LEAP,
      PageUp: at + LEAP,
      Home: 0,
      End: 100,
    };
    const next = by[event.key];
    if (next === undefined) return;
    event.preventDefault();
    place(next);
  });

  // --- how grids look ---
  function lookOf(side: 'before' | 'after'): (feature: Feature) => GridLook | null {
    return (feature) => {
      if (!shown) return null;
      const { found, band, colours } = shown;
      const grid = feature.getProperties() as unknown as PlanGridProperties;
      const ordinary = grid.kind === 'ordinary' || grid.kind === '' || grid.kind === 'residential';
      const classes = bandClasses(band);
      const banded = ordinary ? (classes[classOf(classes, grid.households)]?.color ?? '#d9d9d9') : '#cbbfe0';
      const own = HUES[colours[side].get(grid.code) ?? 0] ?? HUES[0];
      const fact = found.grids.now[grid.code];
      const born = side === 'after' && fact !== undefined && fact.before === null;
      const gone = side === 'before' && found.grids.gone[grid.code] !== undefined;
      const mark = born ? ` ${t('compare.born')}` : gone ? ` ${t('compare.gone')}` : '';
      return {
        fill: tinted === 'band' ? banded : own,
        label: `${short(grid.code)}${mark}\n${number(grid.households)}`,
        ...(born ? { stroke: '#1f6b32', width: 2.4 } : {}),
        ...(gone ? { stroke: '#a33a12', width: 2.4, dash: [6, 4] } : {}),
        strong: born || gone,
      };
    };
  }
  function relook(): void {
    before.look(lookOf('before'));
    after.look(lookOf('after'));
  }

  function fit(animate = true): void {
    const box = before.extent();
    const other = after.extent();
    const both: Extent | null = box && other ? extend([...box], other) : (box ?? other);
    if (both) after.fit(both, animate);
  }

  const size = new ResizeObserver(() => {
    before.map.updateSize();
    after.map.updateSize();
  });
  size.observe(element);
  for (const one of [before, after]) {
    one.map.on('singleclick', (event) => {
      const hit = one.map.forEachFeatureAtPixel(event.pixel, (feature) => feature, {
        layerFilter: (layer) => layers.includes(layer as VectorLayer),
        hitTolerance: 6,
      });
      pick(hit ? String(hit.get('key')) : null);
    });
  }

  function setWay(way: Way): void {
    now = way;
    element.classList.toggle('is-side', way === 'side');
    element.classList.toggle('is-swipe', way === 'swipe');
    handle.hidden = way === 'side';
    // side by side the arrows are on the new plan alone; swiped, the two halves of one picture
    lower.setVisible(way === 'swipe');
    place(at);
    before.map.updateSize();
    after.map.updateSize();
  }
  setWay('side');

  return {
    element,
    map: after.map,
    sources: { before: before.grids, after: after.grids, arrows },
    show(one, two, found, band) {
      const cameFrom = (code: string): string | null => found.grids.now[code]?.before ?? null;
      shown = { found, band, colours: pairColours(shapesOf(one), shapesOf(two), cameFrom) };
      before.show(one);
      after.show(two);
      relook();
    },
    names(one, two) {
      left.name.textContent = `${t('compare.before')} · ${one}`;
      right.name.textContent = `${t('compare.after')} · ${two}`;
      left.name.title = one;
      right.name.title = two;
    },
    way: setWay,
    tint(next) {
      tinted = next;
      relook();
    },
    arrows: (moves, count, chosen) => setArrows(arrows, moves, count, chosen),
    goTo(move) {
      const wanted = new Set([move.old, move.new]);
      const box = [before, after]
        .flatMap(({ grids }) => grids.getFeatures())
        .filter((feature) => wanted.has(String(feature.get('code'))))
        .map((feature) => feature.getGeometry()?.getExtent())
        .filter((extent): extent is Extent => extent !== undefined)
        .reduce<Extent | null>((sum, extent) => (sum ? extend(sum, extent) : [...extent]), null);
      if (box) after.fit(box);
    },
    fit,
    draw() {
      for (const { map } of [before, after]) {
        map.updateSize();
        map.renderSync();
      }
    },
    say() {
      left.target.setAttribute('aria-label', t('compare.mapBefore'));
      right.target.setAttribute('aria-label', t('compare.mapAfter'));
      handle.setAttribute('aria-label', t('compare.swipeLabel'));
      relook();
    },
  };
}
