/** What the canvas draws: the plan as it is now, and how the reader wants it coloured. */
import type { Band, PlanGrid, Topology } from '../model/types';
import { DEVIATION, deviationClass, PALETTE, recolour, SPECIAL } from './colours';
import { type Outlines, outlinesOf } from './outlines';
import { type Shape, shapeOf } from './shape';

export interface Look {
  by: 'neighbours' | 'deviation';
  /** 0 … 1 of the fills. */
  opacity: number;
  labels: boolean;
  /** Unit lines when zoomed in. */
  units: boolean;
  streets: boolean;
  buildings: boolean;
  water: boolean;
}

export const FIRST_LOOK: Look = {
  by: 'neighbours',
  opacity: 0.62,
  labels: true,
  units: true,
  streets: true,
  buildings: true,
  water: true,
};

/** The plan on one level, as the model holds it. */
export interface PlanNow {
  owner(): Int32Array;
  grids(): readonly PlanGrid[];
  households(grid: number): number;
  /** Null where no band applies. */
  bandOf(grid: number): Band | null;
  /** Unit at a place of EPSG:3857. */
  unitAt(x: number, y: number): number;
}

export interface Scene {
  shape: Shape;
  /** Unit at a local place, −1 outside. */
  unitAt(x: number, y: number): number;
  outlines: Outlines;
  plan: PlanNow;
  look: Look;
  /** Place in the palette per grid. */
  colours: number[];
  /** Units to flag. */
  flagged: ReadonlySet<number>;
  /** What a grid is called on the map: its number, and a line under it. */
  title(grid: number): { name: string; figure: string };
  fill(grid: number): string;
  /** Take note of changed grids (all without a list); returns the grids whose colour changed besides. */
  changed(grids?: readonly number[]): number[];
}

export function sceneOf(topology: Topology, plan: PlanNow, title: Scene['title']): Scene {
  const shape = shapeOf(topology);
  const outlines = outlinesOf(shape, plan.owner);
  const colours: number[] = [];
  const scene: Scene = {
    shape,
    unitAt: (x, y) => plan.unitAt(x + shape.origin[0], y + shape.origin[1]),
    outlines,
    plan,
    look: FIRST_LOOK,
    colours,
    flagged: new Set(),
    title,
    fill(grid) {
      if (scene.look.by === 'neighbours') return PALETTE[colours[grid] ?? 0] ?? PALETTE[0];
      const band = plan.bandOf(grid);
      if (!band) return SPECIAL;
      return DEVIATION[deviationClass(plan.households(grid), band)] ?? DEVIATION[2];
    },
    changed(grids) {
      outlines.forget(grids);
      const all = grids ?? plan.grids().map((_, grid) => grid);
      if (!grids) colours.length = 0;
      return recolour(colours, all, outlines.neighbours);
    },
  };
  scene.changed();
  return scene;
}
