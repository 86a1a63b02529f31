/**
 * The map layer of the workbench. Ground, plan and labels are kept as pictures a little larger than the window: panning
 * moves them, painting a unit paints its box anew, and only a new scale paints all.
 */
import Layer from 'ol/layer/Layer';
import type { FrameState } from 'ol/Map';
import ViewHint from 'ol/ViewHint';
import * as theme from '../../map/theme';
import type { Ground } from './ground';
import { type LabelAsk, paintLabels, placesOf } from './labels';
import { paintPlan, REACH } from './paintPlan';
import type { Scene } from './scene';
import { boxOfUnits } from './shape';
import {
  type Box,
  boxOf,
  boxOfView,
  holds,
  moved,
  type Sheet,
  sheetFor,
  toLocal,
  type View,
  within,
} from './sheet';

/** Draws over the plan and under the labels, every frame; its context takes local metres. */
export type Overlay = (context: CanvasRenderingContext2D, resolution: number) => void;

export interface PlanLayer {
  layer: Layer;
  /** Paint a box (local metres) anew, or all. */
  dirty(box?: Box | null): void;
  /** Paint where these units lie anew. */
  dirtyUnits(units: Iterable<number>): void;
  /** Labels moved or say something else. */
  relabel(): void;
  /** Draw the overlays again, nothing else. */
  redraw(): void;
  overlays: Overlay[];
  /** Milliseconds the last painting took. */
  spent(): number;
}

interface Options {
  scene: Scene;
  ground: () => Ground | null;
  chosen: () => number;
  isOut: (grid: number) => boolean;
  /** Whether a grid is of the level shown. */
  onLevel: (grid: number) => boolean;
}

export function createPlanLayer({ scene, ground, chosen, isOut, onLevel }: Options): PlanLayer {
  const canvas = document.createElement('canvas');
  canvas.className = 'plan-canvas';
  const context = canvas.getContext('2d')!;
  let sheet: Sheet | null = null;
  let names: Sheet | null = null;
  let boxes: Box[] = [];
  let all = true;
  let labelsStale = true;
  let places: LabelAsk['place'] | null = null;
  let spent = 0;
  const overlays: Overlay[] = [];

  function paint(target: Sheet, box: Box, zoom: number): void {
    within(target, box, (exact) => {
      const { context: pen, resolution, ratio } = target;
      pen.fillStyle = theme.LAND;
      pen.fillRect(0, 0, target.canvas.width, target.canvas.height);
      toLocal(pen, target);
      const room = REACH * resolution;
      const brush = {
        context: pen,
        resolution,
        ratio,
        box: [exact[0] - room, exact[1] - room, exact[2] + room, exact[3] + room] as Box,
      };
      ground()?.paint(brush, scene.look, zoom, scene.shape.origin);
      paintPlan(scene, brush);
    });
  }

  function label(around: Sheet): void {
    const fits =
      names?.canvas.width === around.canvas.width && names.canvas.height === around.canvas.height
        ? names
        : null;
    if (fits) {
      fits.context.setTransform(1, 0, 0, 1, 0, 0);
      fits.context.clearRect(0, 0, fits.canvas.width, fits.canvas.height);
      names = { ...around, canvas: fits.canvas, context: fits.context };
    } else {
      const made = document.createElement('canvas');
      made.width = around.canvas.width;
      made.height = around.canvas.height;
      names = { ...around, canvas: made, context: made.getContext('2d')! };
    }
    labelsStale = false;
    if (!scene.look.labels) return;
    places ??= placesOf(scene);
    paintLabels(names.context, around, boxOf(around), {
      scene,
      place: places,
      chosen: chosen(),
      isOut,
      onLevel,
    });
  }

  /** Bring the pictures up to date for a view; while it moves, only what costs little. */
  function prepare(view: View, zoom: number, moving: boolean): Sheet {
    const same =
      sheet !== null && sheet.ratio === view.ratio && Math.abs(sheet.resolution / view.resolution - 1) < 1e-6;
    if (!sheet || (all && !moving) || (!same && !moving)) {
      const started = performance.now();
      sheet = sheetFor(view);
      paint(sheet, boxOf(sheet), zoom);
      label(sheet);
      all = false;
      boxes = [];
      spent = performance.now() - started;
      return sheet;
    }
    if (same && !holds(boxOf(sheet), boxOfView(view))) {
      const next = moved(sheet, view);
      sheet = next.sheet;
      for (const box of next.open) paint(sheet, box, zoom);
      label(sheet);
    }
    if (boxes.length > 0) {
      const started = performance.now();
      for (const box of boxes) paint(sheet, box, zoom);
      boxes = [];
      spent = performance.now() - started;
    }
    if (labelsStale && !moving) label(sheet);
    return sheet;
  }

  function compose(view: View, from: Sheet): void {
    const { ratio } = view;
    const width = Math.round(view.width * ratio);
    const height = Math.round(view.height * ratio);
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const left = view.x - (view.width / 2) * view.resolution;
    const top = view.y + (view.height / 2) * view.resolution;
    const scale = from.resolution / from.ratio / (view.resolution / ratio);
    const still = Math.abs(scale - 1) < 1e-6;
    const dx = ((from.left - left) / view.resolution) * ratio;
    const dy = ((top - from.top) / view.resolution) * ratio;
    context.setTransform(1, 0, 0, 1, 0, 0);
    // between two scales speed counts: the picture is drawn sharp as soon as the map rests
    context.imageSmoothingEnabled = false;
    if (!still) {
      context.fillStyle = theme.LAND;
      context.fillRect(0, 0, width, height);
    }
    const put = (picture: HTMLCanvasElement): void => {
      if (still) context.drawImage(picture, Math.round(dx), Math.round(dy));
      else context.drawImage(picture, dx, dy, picture.width * scale, picture.height * scale);
    };
    put(from.canvas);
    toLocal(context, { left, top, resolution: view.resolution, ratio });
    for (const overlay of overlays) {
      context.save();
      overlay(context, view.resolution);
      context.restore();
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    if (names && still) put(names.canvas);
  }

  function render(state: FrameState): HTMLElement {
    const { center, resolution, zoom } = state.viewState;
    const [ox, oy] = scene.shape.origin;
    const view: View = {
      x: center[0]! - ox,
      y: center[1]! - oy,
      resolution,
      width: state.size[0]!,
      height: state.size[1]!,
      ratio: state.pixelRatio,
    };
    const moving =
      (state.viewHints[ViewHint.ANIMATING] ?? 0) + (state.viewHints[ViewHint.INTERACTING] ?? 0) > 0;
    compose(view, prepare(view, zoom, moving));
    return canvas;
  }

  const layer = new Layer({ render });
  const again = (): void => layer.changed();
  return {
    layer,
    overlays,
    dirty(box) {
      if (box) {
        const room = REACH * (sheet?.resolution ?? 1);
        boxes.push([box[0] - room, box[1] - room, box[2] + room, box[3] + room]);
      } else all = true;
      again();
    },
    dirtyUnits(units) {
      const box = boxOfUnits(scene.shape, units);
      if (box) this.dirty(box);
    },
    relabel() {
      places = null;
      labelsStale = true;
      again();
    },
    redraw: again,
    spent: () => spent,
  };
}
