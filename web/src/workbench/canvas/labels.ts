/** Names of grids on the map, each at a place well inside its grid, never over each other. */
import { FONT } from '../../map/theme';
import type { Scene } from './scene';
import { type Box, meets } from './sheet';

interface Sprite {
  canvas: HTMLCanvasElement;
  width: number;
  height: number;
}

interface Placed {
  grid: number;
  /** Local metres. */
  x: number;
  y: number;
}

const sprites = new Map<string, Sprite>();
const KEPT = 4000;

function roundRect(context: CanvasRenderingContext2D, width: number, height: number): void {
  context.beginPath();
  context.roundRect(0.5, 0.5, width - 1, height - 1, 4);
}

function padlock(context: CanvasRenderingContext2D, x: number, y: number): void {
  context.fillStyle = '#1d2833';
  context.strokeStyle = '#1d2833';
  context.lineWidth = 1.4;
  context.beginPath();
  context.arc(x + 4, y + 4, 2.6, Math.PI, 0);
  context.lineTo(x + 6.6, y + 6);
  context.moveTo(x + 1.4, y + 4);
  context.lineTo(x + 1.4, y + 6);
  context.stroke();
  context.fillRect(x, y + 5.5, 8, 6);
}

/** Text drawn once: a bold name, the figure under it, a padlock where the grid is locked. */
function spriteOf(
  name: string,
  figure: string,
  state: 'plain' | 'out' | 'chosen',
  locked: boolean,
  ratio: number,
): Sprite {
  const key = [name, figure, state, locked, ratio].join('|');
  const found = sprites.get(key);
  if (found) return found;
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d')!;
  const strong = `600 12px ${FONT}`;
  const light = `11px ${FONT}`;
  context.font = strong;
  const first = context.measureText(name).width + (locked ? 12 : 0);
  context.font = light;
  const second = figure ? context.measureText(figure).width : 0;
  const width = Math.ceil(Math.max(first, second)) + 10;
  const height = figure ? 32 : 19;
  canvas.width = Math.ceil(width * ratio);
  canvas.height = Math.ceil(height * ratio);
  context.scale(ratio, ratio);
  roundRect(context, width, height);
  context.fillStyle = state === 'chosen' ? '#1558a6' : 'rgba(255, 255, 255, 0.86)';
  context.fill();
  if (state === 'out') {
    context.strokeStyle = '#a33a12';
    context.lineWidth = 1.2;
    context.stroke();
  }
  context.textBaseline = 'middle';
  context.fillStyle = state === 'chosen' ? '#ffffff' : '#1d2833';
  context.font = strong;
  const from = (width - first) / 2;
  context.fillText(name, from, 10);
  if (locked) {
    if (state === 'chosen') context.filter = 'invert(1)';
    padlock(context, from + first - 8, 3.5);
    context.filter = 'none';
  }
  if (figure) {
    context.font = light;
    context.fillStyle = state === 'chosen' ? '#ffffff' : state === 'out' ? '#8f2f0c' : '#4a5765';
    context.fillText(figure, (width - second) / 2, 23.5);
  }
  if (sprites.size > KEPT) sprites.clear();
  const sprite = { canvas, width, height };
  sprites.set(key, sprite);
  return sprite;
}

/** A place inside a grid: the unit point nearest to the grid's middle, weighed by households. */
export function placesOf(scene: Scene): (grid: number) => readonly [number, number] | null {
  const owner = scene.plan.owner();
  const { point, area } = scene.shape.topology;
  const [ox, oy] = scene.shape.origin;
  const count = scene.plan.grids().length;
  const sum = new Float64Array(count * 3);
  for (let unit = 0; unit < owner.length; unit += 1) {
    const grid = owner[unit]!;
    if (grid < 0) continue;
    const weight = Math.max(area[unit]!, 1);
    sum[grid * 3]! += weight * point[2 * unit]!;
    sum[grid * 3 + 1]! += weight * point[2 * unit + 1]!;
    sum[grid * 3 + 2]! += weight;
  }
  const best = new Float64Array(count).fill(Infinity);
  const chosen = new Int32Array(count).fill(-1);
  for (let unit = 0; unit < owner.length; unit += 1) {
    const grid = owner[unit]!;
    if (grid < 0) continue;
    const weight = sum[grid * 3 + 2]!;
    const dx = point[2 * unit]! - sum[grid * 3]! / weight;
    const dy = point[2 * unit + 1]! - sum[grid * 3 + 1]! / weight;
    const off = dx * dx + dy * dy;
    if (off < best[grid]!) {
      best[grid] = off;
      chosen[grid] = unit;
    }
  }
  return (grid) => {
    const unit = chosen[grid] ?? -1;
    if (unit < 0) return null;
    const weight = sum[grid * 3 + 2]!;
    const [mx, my] = [sum[grid * 3]! / weight - ox, sum[grid * 3 + 1]! / weight - oy];
    // the very middle where it lies inside, else the unit nearest to it
    const under = scene.unitAt(mx, my);
    if (under >= 0 && owner[under] === grid) return [mx, my];
    return [point[2 * unit]! - ox, point[2 * unit + 1]! - oy];
  };
}

export interface LabelAsk {
  scene: Scene;
  place: (grid: number) => readonly [number, number] | null;
  chosen: number;
  isOut: (grid: number) => boolean;
  onLevel: (grid: number) => boolean;
}

/** Draw labels that fit their grids into a context in device pixels; `left`, `top` local metres of its corner. */
export function paintLabels(
  context: CanvasRenderingContext2D,
  at: { left: number; top: number; resolution: number; ratio: number },
  box: Box,
  { scene, place, chosen, isOut, onLevel }: LabelAsk,
): Placed[] {
  const { resolution, ratio } = at;
  const grids = scene.plan.grids();
  const wanted: { grid: number; room: number }[] = [];
  for (let grid = 0; grid < grids.length; grid += 1) {
    if (!grids[grid]!.alive || !onLevel(grid)) continue;
    const own = scene.outlines.box(grid);
    if (!own || !meets(own, box)) continue;
    const room = Math.min(own[2] - own[0], own[3] - own[1]) / resolution;
    if (room > 22 || grid === chosen) wanted.push({ grid, room: grid === chosen ? Infinity : room });
  }
  wanted.sort((a, b) => b.room - a.room);
  const taken: Box[] = [];
  const placed: Placed[] = [];
  for (const { grid, room } of wanted) {
    const spot = place(grid);
    if (!spot) continue;
    const { name, figure } = scene.title(grid);
    const state = grid === chosen ? 'chosen' : isOut(grid) ? 'out' : 'plain';
    const sprite = spriteOf(name, room > 46 ? figure : '', state, grids[grid]!.locked, ratio);
    if (sprite.width > room * 1.5) continue;
    const x = (spot[0] - at.left) / resolution - sprite.width / 2;
    const y = (at.top - spot[1]) / resolution - sprite.height / 2;
    const mine: Box = [x - 2, y - 2, x + sprite.width + 2, y + sprite.height + 2];
    if (taken.some((other) => meets(other, mine))) continue;
    taken.push(mine);
    context.drawImage(sprite.canvas, Math.round(x * ratio), Math.round(y * ratio));
    placed.push({ grid, x: spot[0], y: spot[1] });
  }
  return placed;
}
