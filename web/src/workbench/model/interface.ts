/**
 * The workbench's model as the rest of the page sees it: a plan in memory, what may be done to it, what it says of
 * itself, and how it stays in step with the service. Nothing here touches the document.
 *
 * Grids and units are numbers (see types.ts); −1 is "no grid" and "no unit". Coordinates are EPSG:3857, lengths and
 * areas of figures true metres. Arrays handed out are the model's own: read them, never write.
 */

import type {
  AssignmentAnswer,
  Band,
  GridFigures,
  Operation,
  PlanGrid,
  Problem,
  Topology,
  UnitConflict,
  UnitCounts,
} from './types';

export type XY = readonly [number, number];
/** x, y, x, y … */
export type Line = Float64Array;

/** Neighbouring units: the neighbours of `u` are `to[start[u] … start[u + 1])`, each pair in both directions. */
export interface Borders {
  start: Int32Array;
  to: Int32Array;
  /** Metres of common border, and of it on lines of a major class. */
  metres: Float64Array;
  barrier: Float64Array;
  /** Strongest class anywhere on the common border. */
  cls: Int8Array;
  /** Arcs round a unit: `arcs[arcStart[u] … arcStart[u + 1])`. */
  arcStart: Int32Array;
  arcs: Int32Array;
}

/** Where units are. All answers are exact: by the units' borders, not by their boxes. */
export interface Places {
  /** Unit that holds a point, −1 for none. On a common border exactly one unit answers. */
  unitAt(x: number, y: number): number;
  /** minx, miny, maxx, maxy. */
  boxOf(unit: number): readonly [number, number, number, number];
  /** Box of some units, null for none. */
  boxOfUnits(units: Iterable<number>): [number, number, number, number] | null;
  /** Units whose box meets a box (to draw what is in view). */
  unitsNear(minx: number, miny: number, maxx: number, maxy: number): number[];
  /**
   * Units in a ring (lasso, rectangle; need not be closed): those with the larger part of their area in it ("most"),
   * those it touches at all ("touch"), or those with their inner point in it ("point", the quickest).
   */
  unitsIn(ring: readonly XY[], how?: 'most' | 'touch' | 'point'): number[];
  /** Units nearer than `radius` (EPSG:3857 units) to a line or, with one point, to a point: the brush. */
  unitsAlong(stroke: readonly XY[], radius: number): number[];
}

/** A closed ring, its area to the left when it is an outer one. */
export interface Ring {
  points: Line;
  hole: boolean;
}

/** Why something was not done; the page has the words. */
export type Refusal =
  | 'published' // a published plan cannot be changed
  | 'locked' // all that was asked for belongs to locked grids
  | 'community' // the units lie in another community than the grid
  | 'parent' // the units lie in another grid of the level above
  | 'nothing' // it is so already
  | 'ended' // the grid is no longer in the plan
  | 'level' // grids of different levels
  | 'not_neighbours' // the two grids have no common border
  | 'line' // fewer than two points, or a line that crosses itself
  | 'one_side' // the line leaves one side empty
  | 'breaks' // it would break a grid into pieces
  | 'code' // not digits of the right length
  | 'taken'; // the code is another grid's

/** What an action did. `step` is the history step it made (none inside `begin` … `commit` before the commit). */
export type Outcome =
  | { ok: true; grids: readonly number[]; units: readonly number[]; grid: number; skipped: Skipped }
  | { ok: false; reason: Refusal; skipped: Skipped };

/** Units asked for that stayed where they were, counted by why. */
export interface Skipped {
  locked: number;
  community: number;
  parent: number;
  trimmed: number;
}

/** Figures of a grid before and after what is being tried (`grid` −1: one that would be new). */
export interface Trial {
  grid: number;
  before: GridFigures;
  after: GridFigures;
}

export interface Moves {
  level: number;
  units: readonly number[];
  /** For each unit the grid it goes to, −1 none. */
  to: readonly number[];
}

export interface Preview {
  grids: readonly Trial[];
  /** Units that really would change hands. */
  units: readonly number[];
  skipped: Skipped;
}

/** What dragging a border would do. Rings of both grids as they would be are drawn from `moves`. */
export interface BorderDrag {
  ok: boolean;
  reason?: Refusal;
  moves: Moves;
  preview: Preview;
  /** The dragged border as drawn by hand, and as it would lie on unit lines. */
  drawn: Line;
  snapped: readonly Line[];
}

export interface SplitTrial {
  ok: boolean;
  reason?: Refusal;
  /** Units to the left and right of the line. */
  left: readonly number[];
  right: readonly number[];
  preview: Preview;
}

export type StepKind =
  | 'assign'
  | 'unassign'
  | 'create'
  | 'remove'
  | 'merge'
  | 'split'
  | 'border'
  | 'renumber'
  | 'kind'
  | 'name'
  | 'lock'
  | 'unlock'
  | 'fix'
  | 'theirs';

/** One step of the history, for a list. */
export interface StepInfo {
  id: number;
  kind: StepKind;
  /** Milliseconds since 1970. */
  at: number;
  level: number;
  units: number;
  grids: readonly number[];
  done: boolean;
}

/** Told after every change, once for a whole action. */
export interface ModelChange {
  cause: 'action' | 'undo' | 'redo' | 'others' | 'saved' | 'restored' | 'cancel';
  /** Units that changed hands, by level. */
  units: ReadonlyMap<number, readonly number[]>;
  /** Grids whose units, figures, name, kind, lock or code changed. */
  grids: readonly number[];
  /** Grids were born or ended, or changed code, name, kind or lock: lists and labels need a look. */
  structure: boolean;
}

export interface LevelInfo {
  level: number;
  band: Band | null;
}

export interface Summary {
  grids: number;
  /** Grids the band applies to, of them in band, and the households beyond it. */
  ordinary: number;
  inBand: number;
  outside: number;
  households: number;
  population: number;
  unassignedUnits: number;
  unassignedHouseholds: number;
  /** Over ordinary grids with units: fewest, most, mean households and mean deviation from the mean (share). */
  least: number;
  most: number;
  mean: number;
  deviation: number;
  /** Mean over all grids with units. */
  compactness: number;
  broken: number;
  compounds: number;
  splitCompounds: number;
  crossing: number;
  locked: number;
}

export interface GridBirth {
  level: number;
  /** Code of the community; left out: that of the first unit, else of the parent. */
  community?: string;
  /** Number of the grid above; left out: that of the first unit. */
  parent?: number;
  kind?: string;
  name?: string;
}

export interface PlanModel extends Places {
  readonly topology: Topology;
  readonly borders: Borders;
  readonly counts: UnitCounts;
  readonly plan: { id: number; name: string; area: string; unitSet: number; status: 'draft' | 'published' };
  readonly levels: readonly LevelInfo[];
  /** All grids there ever were on this page, by number; `alive` tells which are in the plan. */
  readonly grids: readonly PlanGrid[];
  /** Units and arcs there are. */
  readonly unitCount: number;
  readonly arcCount: number;
  /** Grows with every change. */
  readonly revision: number;

  // --- who has what
  /** Grid number of every unit on a level, −1 none. Live. */
  owners(level: number): Int32Array;
  ownerOf(unit: number, level?: number): number;
  /** Numbers of the grids in the plan on a level, by code. */
  gridsOf(level: number): readonly number[];
  unitsOf(grid: number): Int32Array;
  unassigned(level?: number): Int32Array;
  /** −1: not in the plan. */
  gridByCode(code: string, level?: number): number;
  unitById(id: string): number;
  /** Grids with a common border, by metres, longest first. */
  neighboursOf(grid: number): readonly { grid: number; metres: number }[];
  unitsOfCompound(unit: number): number[];
  /** A kept number 0 … 11 such that grids with a common border rarely share one: the colour. */
  colourOf(grid: number): number;

  // --- figures
  figures(grid: number): GridFigures;
  /** Band that applies to the grid; null for special grids and levels without. */
  bandOf(grid: number): Band | null;
  /** Households over (+) or under (−) the band, 0 within. */
  beyond(grid: number): number;
  summary(level?: number): Summary;
  /** Figures as they would be, nothing changed: for every mouse move. Locks and communities respected as in assign. */
  preview(units: readonly number[], to: number | null, level?: number): Preview;
  previewMoves(moves: Moves): Preview;

  // --- lines
  /** Rings round a grid, kept until the grid changes. */
  ringsOf(grid: number): readonly Ring[];
  /** The same as polygons: outer ring, then its holes. */
  polygonsOf(grid: number): readonly (readonly Line[])[];
  /** Rings round any units (what a lasso holds, a piece to zoom to). */
  ringsAround(units: readonly number[]): readonly Ring[];
  ringsOfUnit(unit: number): readonly Ring[];
  /** Arcs with different grids to either side (the outside counts). */
  borderArcs(level: number): Int32Array;
  /** Arcs between two grids, arcs inside a grid (lines between its units). */
  sharedArcs(a: number, b: number): Int32Array;
  innerArcs(grid: number): Int32Array;
  lineOfArc(arc: number): Line;
  /** The common border, arcs joined end to end. */
  sharedBorder(a: number, b: number): readonly Line[];
  /** Grid border nearest to a point within `radius`: the two grids it parts (b −1: no grid) and the nearest place. */
  borderAt(
    x: number,
    y: number,
    radius: number,
    level?: number,
  ): { a: number; b: number; arc: number; at: XY; distance: number } | null;

  // --- actions: each is one step of the history, or part of one between begin and commit
  assign(units: readonly number[], grid: number | null, level?: number): Outcome;
  apply(moves: Moves, kind?: StepKind): Outcome;
  /** A new grid (code `new:N` until saved) with these units; none: an empty grid to paint. */
  createGrid(birth: GridBirth, units?: readonly number[]): Outcome;
  /** The grid ends; its units belong to none. */
  removeGrid(grid: number): Outcome;
  /** All units of `b` go to `a`, `b` ends. */
  merge(a: number, b: number): Outcome;
  /** Divide a grid along a line; the side with more households keeps code, name and kind. `outcome.grid`: the new one. */
  split(grid: number, line: readonly XY[]): Outcome;
  trySplit(grid: number, line: readonly XY[]): SplitTrial;
  /** Move the common border of `a` and `b` where it is taken hold of at `from` to `to`. Nothing changes. */
  tryDrag(a: number, b: number, from: XY, to: XY): BorderDrag;
  dragBorder(a: number, b: number, from: XY, to: XY): Outcome;
  renumber(grid: number, code: string): Outcome;
  setKind(grid: number, kind: string): Outcome;
  setName(grid: number, name: string): Outcome;
  setLocked(grid: number, locked: boolean): Outcome;
  /** All grids of a level. */
  setAllLocked(level: number, locked: boolean): Outcome;
  /** Operations of the service (an answer of `fix`) as one step. Units no longer as `from` says are left alone. */
  applyOperations(operations: readonly Operation[], kind?: StepKind): Outcome;

  // --- history
  /** One step from here to `commit` (a brush stroke); `cancel` takes all of it back. */
  begin(kind: StepKind): void;
  commit(): void;
  cancel(): void;
  /** False: nothing to undo, or others changed all that the step touched. */
  undo(): boolean;
  redo(): boolean;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  steps(): readonly StepInfo[];

  // --- what is wrong
  /** All problems, worst kinds first; looks only at what changed since the last call. */
  problems(level?: number): readonly Problem[];

  on(listener: (change: ModelChange) => void): () => void;
}

// --- keeping in step with the service -----------------------------------------------------

export interface SaveRequest {
  base: number;
  key: string;
  operations: Operation[];
}

export interface SaveAnswer {
  version: number;
  /** Codes given to new grids, by `new:N`. */
  codes: Record<string, string>;
  merged?: number[];
}

export interface EditsAnswer {
  version: number;
  edits: { version: number; at: string; author: string; note?: string | null; operations: Operation[] }[];
}

/** The service's part. Failures are thrown as errors with `status` (0: no answer), `code`, `details`. */
export interface PlanServer {
  save(request: SaveRequest): Promise<SaveAnswer>;
  edits(after: number): Promise<EditsAnswer>;
  assignment(): Promise<AssignmentAnswer>;
}

/** Somewhere to keep work over a reload. */
export interface Store {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
  remove(key: string): Promise<void>;
  keys(prefix: string): Promise<string[]>;
}

export type SyncStatus =
  | 'saved'
  | 'dirty' // changes wait for the autosave
  | 'saving'
  | 'offline' // not saved yet: no answer, tried again at `retryAt`
  | 'conflict' // some units wait for mine or theirs; the rest is saved
  | 'refused'; // the service will not take it: `error`

export interface SyncState {
  status: SyncStatus;
  version: number;
  /** Units and grids that differ from what is saved. */
  pending: number;
  conflicts: number;
  savedAt: number | null;
  retryAt: number | null;
  error: { code: string; message: string } | null;
}

/** Somebody else's edit that came in. */
export interface OthersEdit {
  version: number;
  at: string;
  author: string;
  units: readonly number[];
  grids: readonly number[];
}

/** A conflict as it is shown; `locked`: theirs is a lock, so mine is only possible once it is opened. */
export interface Conflict extends UnitConflict {
  locked: boolean;
}

export interface Sync {
  readonly state: SyncState;
  readonly conflicts: readonly Conflict[];
  /** Restore what the store holds, then save and poll by the clock. */
  start(): Promise<void>;
  stop(): void;
  /** Save now; resolves when saved or refused or offline. */
  save(): Promise<SyncState>;
  /** Ask for others' edits now. */
  poll(): Promise<void>;
  resolve(which: readonly { level: number; unit: number }[] | 'all', choice: 'mine' | 'theirs'): void;
  /** What would be sent now. */
  pending(): Operation[];
  onState(listener: (state: SyncState) => void): () => void;
  onConflicts(listener: (conflicts: readonly Conflict[]) => void): () => void;
  onOthers(listener: (edit: OthersEdit) => void): () => void;
}

export interface SyncOptions {
  store?: Store;
  /** Quiet milliseconds before an autosave, between polls, before the first retry and at most between retries. */
  autosave?: number;
  poll?: number;
  retry?: number;
  retryMost?: number;
  /** Timers and keys, replaced in tests. */
  clock?: Clock;
  newKey?: () => string;
}

export interface Clock {
  now(): number;
  after(milliseconds: number, call: () => void): () => void;
}

/** Reads `application/vnd.gisgrid.topology`. Throws `TopologyError` with a plain sentence for anything else. */
export type DecodeTopology = (buffer: ArrayBuffer) => Topology;
/** Checks the answers against each other and makes the model. Throws `PlanError`. */
export type CreatePlanModel = (
  topology: Topology,
  answer: AssignmentAnswer,
  counts?: UnitCounts | { components: readonly number[]; reports_per_month: readonly number[] },
) => PlanModel;
/** `version` of the plan the model was made from is kept inside the model. */
export type CreateSync = (model: PlanModel, server: PlanServer, options?: SyncOptions) => Sync;
