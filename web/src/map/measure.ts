/** Measuring lengths and areas on the map: by pointer, snapping to what is drawn, or by the keyboard alone. */
import Feature from 'ol/Feature';
import type { Coordinate } from 'ol/coordinate';
import Point from 'ol/geom/Point';
import type LineString from 'ol/geom/LineString';
import type Polygon from 'ol/geom/Polygon';
import Draw from 'ol/interaction/Draw';
import Snap from 'ol/interaction/Snap';
import VectorLayer from 'ol/layer/Vector';
import type OlMap from 'ol/Map';
import { unByKey } from 'ol/Observable';
import { toLonLat } from 'ol/proj';
import VectorSource from 'ol/source/Vector';
import CircleStyle from 'ol/style/Circle';
import Fill from 'ol/style/Fill';
import RegularShape from 'ol/style/RegularShape';
import Stroke from 'ol/style/Stroke';
import Style from 'ol/style/Style';
import { areaOf, lengthOf } from '../core/geodesy';
import { createStore, type Store } from '../core/store';
import type { LonLat } from '../core/types';

export type Kind = 'length' | 'area';

export interface Measured {
  /** What is measured; null: the tool is put away. */
  kind: Kind | null;
  /** Metres of the line or around the polygon, square metres inside. */
  metres: number;
  squareMetres: number;
  points: number;
  finished: boolean;
}

export interface Measure {
  state: Store<Measured>;
  start(kind: Kind): void;
  undo(): void;
  finish(): void;
  stop(): void;
}

const NOTHING: Omit<Measured, 'kind'> = { metres: 0, squareMetres: 0, points: 0, finished: false };
const TONE = '#8a1466';
const SNAP_PIXELS = 12;

function look(): Style[] {
  const halo = new Stroke({ color: 'rgba(255, 255, 255, 0.9)', width: 6 });
  return [
    new Style({ stroke: halo }),
    new Style({
      stroke: new Stroke({ color: TONE, width: 2.5, lineDash: [8, 5] }),
      fill: new Fill({ color: 'rgba(138, 20, 102, 0.12)' }),
      image: new CircleStyle({
        radius: 5,
        fill: new Fill({ color: '#fff' }),
        stroke: new Stroke({ color: TONE, width: 2 }),
      }),
    }),
  ];
}

/** The cross in the middle of the map that the keyboard sets points with. */
const CROSS = [
  new Style({
    image: new RegularShape({
      points: 4,
      radius: 13,
      radius2: 0,
      stroke: new Stroke({ color: '#fff', width: 5 }),
    }),
  }),
  new Style({
    image: new RegularShape({
      points: 4,
      radius: 13,
      radius2: 0,
      stroke: new Stroke({ color: TONE, width: 2 }),
    }),
  }),
];

const degrees = (places: readonly Coordinate[]): LonLat[] => places.map((place) => toLonLat(place) as LonLat);

/** Give the map the tool; `target` is the element with the map's keyboard focus. */
export function addMeasure(map: OlMap, target: HTMLElement): Measure {
  const state = createStore<Measured>({ kind: null, ...NOTHING });
  const source = new VectorSource();
  const cross = new VectorSource();
  map.addLayer(new VectorLayer({ source, style: look(), zIndex: 95 }));
  map.addLayer(new VectorLayer({ source: cross, style: CROSS, zIndex: 96 }));
  let draw: Draw | null = null;
  let snaps: Snap[] = [];
  /** Points set by hand so far, in the map's projection. */
  let places: Coordinate[] = [];

  function read(geometry: LineString | Polygon, finished: boolean): void {
    const { kind } = state.get();
    const whole =
      kind === 'area'
        ? ((geometry as Polygon).getCoordinates()[0] ?? [])
        : (geometry as LineString).getCoordinates();
    const ring = degrees(whole);
    const open = kind === 'area' ? ring.slice(0, -1) : ring;
    state.set({
      metres: lengthOf(
        kind === 'area' ? [...open, open[0] ?? [0, 0]].slice(0, open.length > 1 ? undefined : 1) : open,
      ),
      squareMetres: kind === 'area' && open.length > 2 ? areaOf(open) : 0,
      points: finished ? open.length : Math.max(open.length - 1, 0),
      finished,
    });
  }

  function clear(): void {
    if (draw) map.removeInteraction(draw);
    for (const snap of snaps) map.removeInteraction(snap);
    draw = null;
    snaps = [];
    places = [];
    source.clear();
    cross.clear();
  }

  function begin(kind: Kind): void {
    const made = new Draw({ source, type: kind === 'area' ? 'Polygon' : 'LineString', style: look() });
    made.on('drawstart', ({ feature }) => {
      source.clear();
      const geometry = feature.getGeometry() as LineString | Polygon;
      const key = geometry.on('change', () => read(geometry, false));
      made.once('drawend', () => {
        unByKey(key);
        places = [];
        read(geometry, true);
      });
      read(geometry, false);
    });
    map.addInteraction(made);
    draw = made;
    // snapping has to come after drawing; it takes what can be seen when the tool is taken up
    for (const layer of map.getAllLayers()) {
      const key = layer.get('key') as string | undefined;
      const drawn = layer.getSource();
      if (!(drawn instanceof VectorSource) || !layer.getVisible()) continue;
      if (key === undefined || !['grids', 'buildings', 'streets', 'units'].includes(key)) continue;
      const snap = new Snap({ source: drawn, pixelTolerance: SNAP_PIXELS });
      map.addInteraction(snap);
      snaps.push(snap);
    }
  }

  /** Set a point in the middle of the map; the same place twice ends it. */
  function setPoint(): void {
    map.getView().cancelAnimations(); // where the arrows lead to, not where the map is on its way
    const center = map.getView().getCenter();
    if (!draw || !center) return;
    const last = places.at(-1);
    const resolution = map.getView().getResolution() ?? 1;
    if (last && Math.hypot(last[0]! - center[0]!, last[1]! - center[1]!) < 3 * resolution) {
      finish();
      return;
    }
    places.push([...center]);
    draw.appendCoordinates([[...center]]);
  }

  function finish(): void {
    const { kind, finished } = state.get();
    if (!draw || !kind || finished) return;
    if (places.length >= (kind === 'area' ? 3 : 2)) {
      draw.finishDrawing();
      cross.clear();
    } else if (places.length === 0) draw.finishDrawing();
  }

  function undo(): void {
    if (!draw || state.get().finished) return;
    places.pop();
    draw.removeLastPoint();
  }

  function stop(): void {
    clear();
    map.unset('tool');
    target.classList.remove('is-measuring');
    state.set({ kind: null, ...NOTHING });
  }

  function start(kind: Kind): void {
    clear();
    map.set('tool', 'measure');
    target.classList.add('is-measuring');
    state.set({ kind, ...NOTHING });
    begin(kind);
  }

  /** The cross shows from the first key on, and follows the middle. */
  function aim(): void {
    const center = map.getView().getCenter();
    if (!center || state.get().kind === null) return;
    cross.clear();
    cross.addFeature(new Feature(new Point([...center])));
  }
  map.getView().on('change:center', () => {
    if (cross.getFeatures().length > 0) aim();
  });
  // before the map's own keys: Enter asks who owns a place, Backspace and Escape are others' too
  target.addEventListener(
    'keydown',
    (event) => {
      if (state.get().kind === null) return;
      if (event.key.startsWith('Arrow')) aim();
      const acts: Record<string, () => void> = { Enter: setPoint, Backspace: undo, Escape: stop };
      const act = acts[event.key];
      if (!act) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (event.key === 'Enter') aim();
      act();
    },
    true,
  );
  return { state, start, undo, finish, stop };
}
