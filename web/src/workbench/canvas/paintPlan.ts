/** Painting the plan: fills, hatches of locked grids, lines of units, grids and communities, flags. */
import { UNASSIGNED } from './colours';
import { pathOfUnits, traceArc } from './outlines';
import type { Scene } from './scene';
import { detailAt, levelAt } from './shape';
import { type Box, meets } from './sheet';

const INK = '#27313c';
/** Metres a pixel below which the lines of units are drawn. */
const UNITS_FROM = 2.6;
const HATCH = 12;

/** A hatch that covers what it lies on only thinly; its scale is that of the screen. */
function hatch(color: string, width: number): CanvasPattern | null {
  const canvas = document.createElement('canvas');
  canvas.width = HATCH;
  canvas.height = HATCH;
  const context = canvas.getContext('2d');
  if (!context) return null;
  context.strokeStyle = color;
  context.lineWidth = width;
  context.beginPath();
  for (const shift of [-HATCH, 0, HATCH]) {
    context.moveTo(shift, HATCH);
    context.lineTo(shift + HATCH, 0);
  }
  context.stroke();
  return context.createPattern(canvas, 'repeat');
}

let patterns: { locked: CanvasPattern | null; flag: CanvasPattern | null } | null = null;
const patternsNow = (): NonNullable<typeof patterns> =>
  (patterns ??= {
    locked: hatch('rgba(29, 40, 51, 0.34)', 1.2),
    flag: hatch('rgba(190, 24, 24, 0.85)', 2.2),
  });

export interface Brush {
  context: CanvasRenderingContext2D;
  /** Metres of a CSS pixel. */
  resolution: number;
  ratio: number;
  box: Box;
}

const boxMeets = (boxes: Float32Array, at: number, box: Box): boolean =>
  boxes[at]! <= box[2] && boxes[at + 2]! >= box[0] && boxes[at + 1]! <= box[3] && boxes[at + 3]! >= box[1];

/** Fill `path` with a pattern that keeps to the screen's pixels. */
function fillPattern(
  { context, resolution, ratio }: Brush,
  path: Path2D,
  pattern: CanvasPattern | null,
): void {
  if (!pattern) return;
  const pixel = resolution / ratio;
  pattern.setTransform(new DOMMatrix([pixel * ratio, 0, 0, -pixel * ratio, 0, 0]));
  context.fillStyle = pattern;
  context.fill(path, 'evenodd');
}

function fills(scene: Scene, brush: Brush, level: number): void {
  const { context, box } = brush;
  const { outlines, plan, look } = scene;
  const grids = plan.grids();
  const locked: Path2D[] = [];
  context.globalAlpha = look.opacity;
  for (let grid = 0; grid < grids.length; grid += 1) {
    const entry = grids[grid]!;
    if (!entry.alive) continue;
    const own = outlines.box(grid);
    if (!own || !meets(own, box)) continue;
    const path = outlines.path(grid, level);
    context.fillStyle = scene.fill(grid);
    context.fill(path, 'evenodd');
    if (entry.locked) locked.push(path);
  }
  context.globalAlpha = 1;
  for (const path of locked) fillPattern(brush, path, patternsNow().locked);
}

function unassigned(scene: Scene, { context, box }: Brush, level: number): void {
  const owner = scene.plan.owner();
  const { unitBox } = scene.shape;
  const units = new Set<number>();
  for (let unit = 0; unit < owner.length; unit += 1) {
    if (owner[unit]! < 0 && boxMeets(unitBox, unit * 4, box)) units.add(unit);
  }
  if (units.size === 0) return;
  context.globalAlpha = Math.min(1, scene.look.opacity);
  context.fillStyle = UNASSIGNED;
  context.fill(pathOfUnits(scene.shape, units, level), 'evenodd');
  context.globalAlpha = 1;
}

function flags(scene: Scene, brush: Brush, level: number): void {
  if (scene.flagged.size === 0) return;
  const { unitBox } = scene.shape;
  const units = new Set<number>();
  for (const unit of scene.flagged) if (boxMeets(unitBox, unit * 4, brush.box)) units.add(unit);
  if (units.size === 0) return;
  const path = pathOfUnits(scene.shape, units, level);
  fillPattern(brush, path, patternsNow().flag);
  brush.context.strokeStyle = '#b3181c';
  brush.context.lineWidth = 2 * brush.resolution;
  brush.context.stroke(path);
}

function lines(scene: Scene, brush: Brush, level: number): void {
  const { context, box, resolution } = brush;
  const { topology, arcBox } = scene.shape;
  const { arcLeft, arcRight, community } = topology;
  const detail = detailAt(scene.shape, level);
  const owner = scene.plan.owner();
  const inner = new Path2D();
  const borders = new Path2D();
  const communities = new Path2D();
  const close = scene.look.units && resolution < UNITS_FROM;
  for (let arc = 0; arc < arcLeft.length; arc += 1) {
    if (!boxMeets(arcBox, arc * 4, box)) continue;
    const left = arcLeft[arc]!;
    const right = arcRight[arc]!;
    const one = left < 0 ? -2 : owner[left]!;
    const two = right < 0 ? -2 : owner[right]!;
    if (one === two) {
      if (close) traceArc(inner, detail, arc);
    } else {
      traceArc(borders, detail, arc);
      if (left < 0 || right < 0 || community[left] !== community[right]) traceArc(communities, detail, arc);
    }
  }
  context.lineJoin = 'round';
  context.lineCap = 'round';
  if (close) {
    context.strokeStyle = `rgba(39, 49, 60, ${resolution < 0.9 ? 0.5 : 0.34})`;
    context.lineWidth = 0.8 * resolution;
    context.stroke(inner);
  }
  const near = resolution < 6;
  context.strokeStyle = 'rgba(255, 255, 255, 0.75)';
  context.lineWidth = (near ? 4 : 0) * resolution;
  if (near) context.stroke(borders);
  context.strokeStyle = INK;
  context.lineWidth = (near ? 1.7 : 0.9) * resolution;
  context.stroke(borders);
  context.lineWidth = (near ? 3 : 1.8) * resolution;
  context.stroke(communities);
}

/** Paint the plan into a context whose units are local metres. */
export function paintPlan(scene: Scene, brush: Brush): void {
  const level = levelAt(brush.resolution);
  unassigned(scene, brush, level);
  fills(scene, brush, level);
  flags(scene, brush, level);
  lines(scene, brush, level);
}

/** Widest line of the plan, in CSS pixels: what a dirty box must be grown by. */
export const REACH = 5;
