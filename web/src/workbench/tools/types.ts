/** What tools are, and what they may do to the page. */
import type OlMap from 'ol/Map';
import type { Store } from '../../core/store';
import type { Overlay, PlanLayer } from '../canvas/layer';
import type { Look, Scene } from '../canvas/scene';
import type { Outcome, PlanModel, Preview, Sync, XY } from '../model';

export const TOOLS = [
  'paint',
  'lasso',
  'rectangle',
  'compound',
  'erase',
  'pick',
  'boundary',
  'split',
  'merge',
  'special',
  'hand',
] as const;
export type ToolName = (typeof TOOLS)[number];

/** Tools that change nothing: all a reader may use. */
export const HARMLESS: ReadonlySet<ToolName> = new Set(['pick', 'hand']);

export type PanelName = 'grids' | 'problems' | 'history' | 'look';

/** What the page shows beside the plan itself. */
export interface UiState {
  tool: ToolName;
  /** Radius of the brush in pixels; 0 takes single units. */
  brush: number;
  /** Grid painted with, −1: none chosen, −2: erase. */
  current: number;
  /** Unit under the pointer, −1 for none. */
  hovered: number;
  /** Unit of the keyboard cursor, −1 while it is not used. */
  cursor: number;
  level: number;
  panel: PanelName;
  panelOpen: boolean;
  look: Look;
  /** Goes up with every change of the plan. */
  revision: number;
  /** What would change hands if what is being dragged were dropped. */
  trial: Preview | null;
}

export const ERASE = -2;

export interface Pointer {
  /** Local metres (what is drawn with), EPSG:3857 (what the model takes), CSS pixels in the map. */
  x: number;
  y: number;
  place: XY;
  px: number;
  py: number;
  unit: number;
  shift: boolean;
  alt: boolean;
  touch: boolean;
}

export interface Tool {
  cursor: string;
  /** A gesture begins; false lets the map be moved with it. */
  down?(at: Pointer): boolean;
  move?(at: Pointer): void;
  up?(at: Pointer): void;
  /** The pointer moves with no button down; null when it leaves. */
  hover?(at: Pointer | null): void;
  /** A second press shortly after the first. */
  twice?(at: Pointer): void;
  /** Throw away what is under way; true when there was something. */
  cancel?(): boolean;
  /** Space with the unit cursor on a unit. */
  space?(unit: number): void;
  /** Enter: finish what is being drawn; true when there was something. */
  finish?(): boolean;
  overlay?: Overlay;
}

/** The page as tools and panels see it. */
export interface Bench {
  model: PlanModel;
  sync: Sync;
  scene: Scene;
  map: OlMap;
  canvas: PlanLayer;
  ui: Store<UiState>;
  /** Whether the plan may be changed here; says so when it may not. */
  editable(): boolean;
  level(): number;
  /** The number of a grid for people ("3"), and its whole name. */
  shortName(grid: number): string;
  longName(grid: number): string;
  /** Tell what an action refused or left out; true when it did something. */
  did(outcome: Outcome): boolean;
  undo(): void;
  redo(): void;
  showUnits(units: Iterable<number>): void;
  showGrid(grid: number): void;
  /** Say something to people who do not see the map. */
  say(text: string): void;
  /** A line people see for a while, and hear. */
  hint(text: string): void;
  /** Put a tool into the hand; one that changes the plan only where it may be changed. */
  take(tool: ToolName): void;
}
