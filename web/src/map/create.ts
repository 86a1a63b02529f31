/** The OpenLayers map itself: view, controls, place mark. */

import ScaleLine from 'ol/control/ScaleLine';
import type { Extent } from 'ol/extent';
import Feature from 'ol/Feature';
import Point from 'ol/geom/Point';
import VectorLayer from 'ol/layer/Vector';
import OlMap from 'ol/Map';
import { fromLonLat, transformExtent } from 'ol/proj';
import VectorSource from 'ol/source/Vector';
import CircleStyle from 'ol/style/Circle';
import Fill from 'ol/style/Fill';
import Icon from 'ol/style/Icon';
import Stroke from 'ol/style/Stroke';
import Style from 'ol/style/Style';
import View from 'ol/View';
import type { Bbox, LonLat } from '../core/types';
import { ACCENT } from './theme';

export interface MapParts {
  map: OlMap;
  /** Show the whole district. */
  home(animate?: boolean): void;
  /** Bring an extent of the view's projection into the free part of the map. */
  show(extent: Extent, maxZoom?: number): void;
  /** Centre on a place unless it is in free sight already; zoom in at least to `zoom`. */
  reach(point: LonLat, zoom?: number): void;
  mark(point: LonLat | null): void;
}

/** Free space between the map's edge and the cards over it: top, right, bottom, left in pixels. */
export type Padding = () => [number, number, number, number];

function pin(): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = 60;
  canvas.height = 76;
  const context = canvas.getContext('2d');
  if (!context) return canvas;
  context.scale(2, 2);
  context.shadowColor = 'rgba(0, 0, 0, 0.35)';
  context.shadowBlur = 3;
  context.shadowOffsetY = 2;
  context.beginPath();
  context.moveTo(15, 34);
  context.bezierCurveTo(13, 26, 4, 22, 4, 13.5);
  context.arc(15, 13.5, 11, Math.PI, 0);
  context.bezierCurveTo(26, 22, 17, 26, 15, 34);
  context.fillStyle = '#c8321f';
  context.fill();
  context.shadowColor = 'transparent';
  context.lineWidth = 1.6;
  context.strokeStyle = '#fff';
  context.stroke();
  context.beginPath();
  context.arc(15, 13.5, 4.2, 0, Math.PI * 2);
  context.fillStyle = '#fff';
  context.fill();
  return canvas;
}

/** Make the map in `target` over `bounds` (lon/lat degrees). */
export function createMap(target: HTMLElement, bounds: Bbox, padding: Padding): MapParts {
  const extent = transformExtent(bounds, 'EPSG:4326', 'EPSG:3857');
  const width = extent[2]! - extent[0]!;
  const height = extent[3]! - extent[1]!;
  const room = Math.max(width, height) * 1.2;
  const view = new View({
    projection: 'EPSG:3857',
    center: [(extent[0]! + extent[2]!) / 2, (extent[1]! + extent[3]!) / 2],
    zoom: 13,
    minZoom: 8,
    maxZoom: 20,
    extent: [extent[0]! - room, extent[1]! - room, extent[2]! + room, extent[3]! + room],
    constrainOnlyCenter: true,
    enableRotation: false,
  });
  const map = new OlMap({
    target,
    view,
    controls: [new ScaleLine({ minWidth: 70, target: document.getElementById('scale') ?? target })],
    keyboardEventTarget: target,
  });

  const marks = new VectorSource();
  map.addLayer(
    new VectorLayer({
      source: marks,
      zIndex: 90,
      style: [
        new Style({
          image: new CircleStyle({
            radius: 4,
            fill: new Fill({ color: ACCENT }),
            stroke: new Stroke({ color: '#fff', width: 1.5 }),
          }),
        }),
        new Style({ image: new Icon({ img: pin(), scale: 0.5, anchor: [0.5, 0.92] }) }),
      ],
    }),
  );

  const calm = window.matchMedia('(prefers-reduced-motion: reduce)');
  const duration = (): number => (calm.matches ? 0 : 280);
  return {
    map,
    home: (animate = true) =>
      view.fit(extent, { padding: padding(), duration: animate ? duration() : 0, maxZoom: 17 }),
    show: (wanted, maxZoom = 17) => view.fit(wanted, { padding: padding(), duration: duration(), maxZoom }),
    reach(point, zoom) {
      const at = fromLonLat(point);
      const pixel = map.getPixelFromCoordinate(at);
      const size = map.getSize() ?? [0, 0];
      const [top, right, bottom, left] = padding();
      const near = (view.getZoom() ?? 0) >= (zoom ?? 0);
      const seen =
        pixel !== null &&
        pixel[0]! > left &&
        pixel[0]! < size[0]! - right &&
        pixel[1]! > top &&
        pixel[1]! < size[1]! - bottom;
      if (seen && near) return;
      const resolution = near ? (view.getResolution() ?? 1) : view.getResolutionForZoom(zoom ?? 0);
      const center = [at[0]! + ((right - left) / 2) * resolution, at[1]! + ((top - bottom) / 2) * resolution];
      view.animate({ center, resolution, duration: duration() });
    },
    mark(point) {
      marks.clear();
      if (point) marks.addFeature(new Feature(new Point(fromLonLat(point))));
    },
  };
}
