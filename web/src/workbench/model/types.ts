/**
 * What a plan is in the browser. Units are numbered as the service sends them (id order of the unit set); grids by their
 * place in `PlanState.grids`, which never changes while the page is open: a grid that ends keeps its number.
 */

/** Borders and units of a unit set (`/api/v1/unit-sets/{id}/topology`), which never change. */
export interface Topology {
  unitSet: number;
  /** Longest first: `unitIds[u]` is the unit's name, `communities[unitCommunity[u]]` its community's code and name. */
  unitIds: readonly string[];
  communities: readonly { code: string; name: string }[];
  compounds: readonly string[];
  kinds: readonly string[];
  /** Per unit. Area in m²; a point inside, EPSG:3857, as x, y pairs; compound −1: none. */
  households: Int32Array;
  population: Int32Array;
  elderly: Int32Array;
  priority: Int32Array;
  buildings: Int32Array;
  area: Float32Array;
  point: Float64Array;
  compound: Int32Array;
  community: Int16Array;
  kind: Int8Array;
  /**
   * Arcs: pieces of border between the same two units, or unit and outside (−1). Vertices of arc `a` are
   * `points[2 * arcStart[a] … 2 * arcStart[a + 1])`, EPSG:3857; `arcLeft` lies to the left on the way along it. Nodes
   * join arcs end to end; a ring alone starts and ends at one node.
   */
  points: Float64Array;
  arcStart: Uint32Array;
  arcLeft: Int32Array;
  arcRight: Int32Array;
  arcFrom: Uint32Array;
  arcTo: Uint32Array;
  metres: Float32Array;
  /** Class of the street, water or wall the arc runs on: 0 none … higher divides more (`classes` names them). */
  arcClass: Int8Array;
  classes: readonly string[];
  /** From this class on a border may not be crossed by a grid (rivers, railways, main roads). */
  major: number;
}

/** Counts that change with time (`/api/v1/unit-sets/{id}/counts`), per unit. */
export interface UnitCounts {
  components: Int32Array;
  /** Reports a month over the last twelve months. */
  reportsPerMonth: Float32Array;
}

export interface Band {
  low: number;
  high: number;
}

export type GridKind =
  'ordinary' | 'school' | 'hospital' | 'park' | 'scenic' | 'industrial' | 'water' | 'other';

export interface PlanGrid {
  /** 15 digits and more; `new:N` until the service has given a code. */
  code: string;
  name: string;
  kind: string;
  level: number;
  parent: string | null;
  community: string;
  locked: boolean;
  /** Whether it is in the plan (a grid that ended is not). */
  alive: boolean;
}

/** Sums of a grid, as they are now. */
export interface GridFigures {
  units: number;
  households: number;
  population: number;
  elderly: number;
  priority: number;
  components: number;
  reportsPerMonth: number;
  /** m², m, and Polsby–Popper 4πA/P². */
  area: number;
  perimeter: number;
  compactness: number;
}

export type ProblemKind =
  'out_of_band' | 'broken' | 'enclave' | 'split_compound' | 'crosses_barrier' | 'unassigned';

export interface Problem {
  /** Stable while the problem lasts. */
  id: string;
  kind: ProblemKind;
  /** Numbers of the grids it is about, the one to blame first (a split compound: its main grid last). */
  grids: readonly number[];
  /** The very units to look at: the smaller piece, the units left out … */
  units: readonly number[];
  /** Households beyond the band or in the part told of; pieces (broken); metres of barrier inside. */
  amount: number;
  compound?: string;
}

/** One operation of an edit, as `POST /api/v1/plans/{id}/edits` takes it. Codes, not numbers. */
export type Operation =
  | { op: 'assign'; level: number; from: string | null; to: string | null; units: number[] }
  | {
      op: 'create';
      code: string;
      level: number;
      community: string;
      parent: string | null;
      kind: string;
      name?: string;
    }
  | { op: 'remove'; level: number; grid: string }
  | {
      op: 'set';
      level: number;
      grid: string;
      name?: Change<string>;
      kind?: Change<string>;
      locked?: Change<boolean>;
    }
  | { op: 'renumber'; level: number; grid: string; to: string };

export interface Change<T> {
  from: T;
  to: T;
}

/** `GET /api/v1/plans/{id}/assignment`. */
export interface AssignmentAnswer {
  plan: number;
  name: string;
  area: string;
  status: 'draft' | 'published';
  version: number;
  unit_set: number;
  band: Band;
  levels: {
    level: number;
    band: Band | null;
    grids: Omit<PlanGrid, 'alive' | 'level'>[];
    /** Per unit the grid's place in `grids`, −1 for none. */
    owner: number[];
  }[];
}

/** A unit two people gave to different grids (409 `conflicts`). */
export interface UnitConflict {
  level: number;
  unit: number;
  yours: { from: string | null; to: string | null };
  theirs: string | null;
  author: string;
  at: string;
  version: number;
}
