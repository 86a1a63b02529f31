/** Outlines of grids as canvas paths, kept per level of detail until the grid changes. */
import type { Topology } from '../model/types';
import { type Detail, detailAt, type Shape } from './shape';

export interface Outlines {
  /** Path of a grid in local metres; fill it with the even-odd rule. */
  path(grid: number, level: number): Path2D;
  /** Local box of a grid, or null where it has no units. */
  box(grid: number): readonly [number, number, number, number] | null;
  /** Arcs of a grid's outline. */
  arcs(grid: number): readonly number[];
  /** Grids that share a border with it. */
  neighbours(grid: number): ReadonlySet<number>;
  /** Forget what was made of grids whose units changed; all of them when none are named. */
  forget(grids?: Iterable<number>): void;
}

interface Outline {
  arcs: number[];
  box: [number, number, number, number] | null;
  paths: (Path2D | undefined)[];
  neighbours: Set<number>;
}

/** Draw arc `arc` into a path, continuing it where `on` is true. */
export function traceArc(path: Path2D, detail: Detail, arc: number, forward = true, on = false): void {
  const { points, start } = detail;
  const first = start[arc]!;
  const last = start[arc + 1]! - 1;
  const step = forward ? 1 : -1;
  let at = forward ? first : last;
  if (!on) path.moveTo(points[2 * at]!, points[2 * at + 1]!);
  for (let left = last - first; left > 0; left -= 1) {
    at += step;
    path.lineTo(points[2 * at]!, points[2 * at + 1]!);
  }
}

/** Close rings from arcs walked with the grid on their left. */
function ringsPath(
  topology: Topology,
  detail: Detail,
  arcs: readonly number[],
  inside: (unit: number) => boolean,
): Path2D {
  const { arcFrom, arcTo, arcLeft } = topology;
  const path = new Path2D();
  const ways = new Map<number, number[]>();
  const forward = (arc: number): boolean => inside(arcLeft[arc]!);
  for (const arc of arcs) {
    const node = forward(arc) ? arcFrom[arc]! : arcTo[arc]!;
    const here = ways.get(node);
    if (here) here.push(arc);
    else ways.set(node, [arc]);
  }
  for (const [node, starts] of ways) {
    while (starts.length > 0) {
      let on = false;
      for (let at = node; ;) {
        const arc = ways.get(at)?.pop();
        if (arc === undefined) break;
        const ahead = forward(arc);
        traceArc(path, detail, arc, ahead, on);
        on = true;
        at = ahead ? arcTo[arc]! : arcFrom[arc]!;
      }
      path.closePath();
    }
  }
  return path;
}

/** Path around any set of units (a compound, a preview of what changes hands). */
export function pathOfUnits(shape: Shape, units: ReadonlySet<number>, level: number): Path2D {
  const arcs: number[] = [];
  const { topology, unitArcs, unitArcStart } = shape;
  for (const unit of units) {
    for (let k = unitArcStart[unit]!; k < unitArcStart[unit + 1]!; k += 1) {
      const arc = unitArcs[k]!;
      const other = topology.arcLeft[arc] === unit ? topology.arcRight[arc]! : topology.arcLeft[arc]!;
      if (other < 0 || !units.has(other)) arcs.push(arc);
    }
  }
  return ringsPath(topology, detailAt(shape, level), arcs, (unit) => unit >= 0 && units.has(unit));
}

/** Outlines over `ownerOf`, which is asked anew after `forget`. */
export function outlinesOf(shape: Shape, ownerOf: () => Int32Array): Outlines {
  const { topology, arcBox } = shape;
  const { arcLeft, arcRight } = topology;
  let made = new Map<number, Outline>();

  const blank = (): Outline => ({ arcs: [], box: null, paths: [], neighbours: new Set() });
  const ownerAt = (owner: Int32Array, unit: number): number => (unit < 0 ? -2 : owner[unit]!);

  function add(outline: Outline, arc: number, other: number): void {
    outline.arcs.push(arc);
    if (other >= 0) outline.neighbours.add(other);
    const at = arc * 4;
    const [x0, y0, x1, y1] = [arcBox[at]!, arcBox[at + 1]!, arcBox[at + 2]!, arcBox[at + 3]!];
    const box = outline.box;
    if (!box) outline.box = [x0, y0, x1, y1];
    else {
      box[0] = Math.min(box[0], x0);
      box[1] = Math.min(box[1], y0);
      box[2] = Math.max(box[2], x1);
      box[3] = Math.max(box[3], y1);
    }
  }

  function makeAll(): void {
    const owner = ownerOf();
    for (let arc = 0; arc < arcLeft.length; arc += 1) {
      const left = ownerAt(owner, arcLeft[arc]!);
      const right = ownerAt(owner, arcRight[arc]!);
      if (left === right) continue;
      for (const [grid, other] of [
        [left, right],
        [right, left],
      ] as const) {
        if (grid < 0) continue;
        let outline = made.get(grid);
        if (!outline) made.set(grid, (outline = blank()));
        add(outline, arc, other);
      }
    }
  }

  function makeOne(grid: number): Outline {
    const owner = ownerOf();
    const outline = blank();
    const { unitArcs, unitArcStart } = shape;
    for (let unit = 0; unit < owner.length; unit += 1) {
      if (owner[unit] !== grid) continue;
      for (let k = unitArcStart[unit]!; k < unitArcStart[unit + 1]!; k += 1) {
        const arc = unitArcs[k]!;
        const other = ownerAt(owner, arcLeft[arc] === unit ? arcRight[arc]! : arcLeft[arc]!);
        if (other !== grid) add(outline, arc, other);
      }
    }
    made.set(grid, outline);
    return outline;
  }

  function outlineOf(grid: number): Outline {
    if (made.size === 0) makeAll();
    return made.get(grid) ?? makeOne(grid);
  }

  return {
    path(grid, level) {
      const outline = outlineOf(grid);
      const kept = outline.paths[level];
      if (kept) return kept;
      const owner = ownerOf();
      const path = ringsPath(
        topology,
        detailAt(shape, level),
        outline.arcs,
        (unit) => unit >= 0 && owner[unit] === grid,
      );
      outline.paths[level] = path;
      return path;
    },
    box: (grid) => outlineOf(grid).box,
    arcs: (grid) => outlineOf(grid).arcs,
    neighbours: (grid) => outlineOf(grid).neighbours,
    forget(grids) {
      if (!grids) made = new Map();
      else for (const grid of grids) made.delete(grid);
    },
  };
}
