/** Clicks, taps, hovering and Enter on the map. */
import type Feature from 'ol/Feature';
import type Point from 'ol/geom/Point';
import type OlMap from 'ol/Map';
import { toLonLat } from 'ol/proj';
import type { App } from '../core/app';
import type { ComponentProperties, FacilityProperties, LonLat } from '../core/types';
import type { Grids } from './grids';

const PICK_RADIUS = 5;

export interface Pointing {
  select: (point: LonLat) => void;
  /** Called with the pointer's place, or null when it left the map. */
  moved: (point: LonLat | null) => void;
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

  function pick(pixel: number[]): { feature: Feature; kind: string } | null {
    let found: { feature: Feature; kind: string } | null = null;
    map.forEachFeatureAtPixel(
      pixel,
      (feature, layer) => {
        found = { feature: feature as Feature, kind: String(layer.get('pick')) };
        return true;
      },
      { hitTolerance: PICK_RADIUS, layerFilter: (layer) => layer.get('pick') !== undefined },
    );
    return found;
  }

  map.on('singleclick', (event) => {
    const hit = pick(event.pixel);
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
            : { kind: 'facility', at, properties: properties as FacilityProperties },
      });
      actions.select(at);
      return;
    }
    store.set({ opened: null });
    actions.select(place(event.coordinate));
  });

  map.on('pointermove', (event) => {
    if (event.dragging) return;
    actions.moved(place(event.coordinate));
    const touch = (event.originalEvent as PointerEvent).pointerType === 'touch';
    const shown = store.get().layers;
    grids.hover(touch || !shown.grids ? null : grids.at(event.coordinate));
    const picks = shown.components || shown.facilities || store.get().category !== null;
    target.classList.toggle('can-pick', picks && pick(event.pixel) !== null);
  });
  target.addEventListener('pointerleave', () => {
    grids.hover(null);
    actions.moved(null);
  });
  target.addEventListener('keydown', (event) => {
    const center = map.getView().getCenter();
    if (event.key === 'Enter' && event.target === target && center) {
      event.preventDefault();
      actions.select(place(center));
    }
  });
}
