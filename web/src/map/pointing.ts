/** Clicks, taps, hovering and Enter on the map. */
import type Feature from 'ol/Feature';
import Point from 'ol/geom/Point';
import type OlMap from 'ol/Map';
import { toLonLat } from 'ol/proj';
import VectorSource from 'ol/source/Vector';
import type { App } from '../core/app';
import type { ComponentProperties, FacilityProperties, LonLat } from '../core/types';
import type { Grids } from './grids';

/** How far from its middle a feature can be hit, in pixels. */
const REACH: Record<string, number> = { cluster: 21, component: 9, facility: 13 };

const idOf = (feature: Feature): number | null =>
  typeof feature.getId() === 'number' ? Number(feature.getId()) : null;

export interface Pointing {
  select: (point: LonLat) => void;
  /** Called with the pointer's place and the code of the grid under it, or null when it left the map. */
  moved: (point: LonLat | null, code: string | null) => void;
}

/** Wire the pointer and the Enter key of the map. */
export function addPointing(
  map: OlMap,
  target: HTMLElement,
  app: App,
  grids: Grids,
  actions: Pointing,
): void {
  const { store } = app;
  const place = (coordinate: number[]): LonLat => toLonLat(coordinate) as LonLat;

  /** The nearest point feature under a place, by distance alone: reading pixels back would stall the pointer. */
  function pick(at: number[]): { feature: Feature; kind: string } | null {
    const view = map.getView();
    const resolution = view.getResolution() ?? 1;
    const zoom = view.getZoom() ?? 0;
    let found: { feature: Feature; kind: string } | null = null;
    let nearest = Number.POSITIVE_INFINITY;
    for (const layer of map.getAllLayers()) {
      const kind = String(layer.get('pick') ?? '');
      const reach = REACH[kind];
      const source = layer.getSource();
      if (reach === undefined || !(source instanceof VectorSource) || !layer.getVisible()) continue;
      if (zoom <= layer.getMinZoom() || zoom > layer.getMaxZoom()) continue;
      const feature = source.getClosestFeatureToCoordinate(at);
      const point = feature?.getGeometry();
      if (!(point instanceof Point)) continue;
      const [x, y] = point.getCoordinates();
      const away = Math.hypot((x ?? 0) - (at[0] ?? 0), (y ?? 0) - (at[1] ?? 0)) / resolution;
      if (away <= reach && away < nearest) {
        nearest = away;
        found = { feature, kind };
      }
    }
    return found;
  }

  map.on('singleclick', (event) => {
    if (map.get('tool')) return; // a tool has the pointer
    const hit = pick(event.coordinate);
    if (hit?.kind === 'cluster') {
      const at = (hit.feature.getGeometry() as Point).getCoordinates();
      const view = map.getView();
      view.animate({ center: at, zoom: Math.min((view.getZoom() ?? 12) + 2, 19), duration: 280 });
      return;
    }
    if (hit) {
      const at = place((hit.feature.getGeometry() as Point).getCoordinates());
      const properties = hit.feature.getProperties();
      store.set({
        opened:
          hit.kind === 'component'
            ? { kind: 'component', at, properties: properties as ComponentProperties }
            : { kind: 'facility', at, id: idOf(hit.feature), properties: properties as FacilityProperties },
      });
      actions.select(at);
      return;
    }
    store.set({ opened: null });
    actions.select(place(event.coordinate));
  });

  map.on('pointermove', (event) => {
    if (event.dragging) return;
    const touch = (event.originalEvent as PointerEvent).pointerType === 'touch';
    const shown = store.get().layers;
    const under = touch || !shown.grids ? null : grids.at(event.coordinate);
    grids.hover(under);
    actions.moved(place(event.coordinate), under ? String(under.get('code')) : null);
    const picks = shown.components || shown.facilities || store.get().category !== null;
    target.classList.toggle('can-pick', picks && pick(event.coordinate) !== null);
  });
  target.addEventListener('pointerleave', () => {
    grids.hover(null);
    actions.moved(null, null);
  });
  target.addEventListener('keydown', (event) => {
    const center = map.getView().getCenter();
    if (event.key === 'Enter' && event.target === target && center && !map.get('tool')) {
      event.preventDefault();
      actions.select(place(center));
    }
  });
}
