/** Shapes of the service's answers about plans (`/api/v1/plans`, `/api/v1/generations`, `/api/v1/jobs`). */
import type { FeatureCollection, Geometry } from 'geojson';
import type { Job, LonLat } from '../core/types';
import type { Band } from '../workbench/model/types';

/** What a dialog must know of a plan to begin with; the rest is read. */
export interface PlanRef {
  id: number;
  name: string;
}

export interface Link {
  rel: string;
  href: string;
}

export interface Publication {
  id: number;
  effective_at: string;
  asked_at: string;
  author: string;
  note: string;
  state: 'waiting' | 'done' | 'refused' | 'cancelled';
  fault?: string | null;
}

export interface PlanStats {
  grids?: number;
  ordinary_grids?: number;
  special_grids?: number;
  households?: number;
  population?: number;
  in_band?: number | null;
  cut_by_time?: boolean;
  interrupted?: boolean;
  [figure: string]: unknown;
}

export interface Reason {
  code: string;
  text: string;
  community?: string;
  units?: readonly string[];
  level?: number;
  /** What the text counts, by name. */
  figures?: Readonly<Record<string, number | string>>;
}

export interface Plan extends PlanRef {
  area: string;
  area_name: string;
  area_name_en: string | null;
  system: string;
  status: 'draft' | 'published';
  band: Band;
  levels: unknown;
  seed: number | null;
  feasible: boolean | null;
  reasons: readonly Reason[];
  stats: PlanStats;
  version: number;
  created_at: string;
  updated_at: string | null;
  author: string;
  source: number | null;
  note: string;
  unit_set: number | null;
  editable: boolean;
  /** The generation it made when it was published. */
  generation: number | null;
  /** What was asked for last, while it waits or if it was refused. */
  publication: Publication | null;
}

export interface PlansPage {
  plans: Plan[];
  links?: Link[];
}

/** Levels of a weight as `POST /api/v1/plans` takes them. */
export type WeightName = 'street' | 'compactness' | 'compounds' | 'balance' | 'churn';

export interface EngineOrder {
  households: string;
  levels?: string;
  keep?: boolean;
  plan?: number;
  time_limit?: number;
  preset?: string;
  seed?: number;
  weights?: Partial<Record<WeightName, number>>;
}

export interface PlanOrder {
  area: string;
  name?: string;
  note?: string;
  from: 'empty' | 'published' | 'engine' | { plan: number };
  engine?: EngineOrder;
}

export interface Generation {
  id: number;
  published_at: string;
  is_current: boolean;
  note: string;
  author: string;
  restored: number | null;
  plan: number | null;
  plan_name: string;
  area: string;
  area_name?: string;
  area_name_en?: string | null;
  /** Grids of the first level born and ended with it. */
  born?: number;
  ended?: number;
}

export interface PlanJob extends Job {
  kind: string;
  note: string | null;
  eta: number | null;
  cancel_asked: boolean;
  revision: number;
  result: { plan?: number } | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  params?: { area?: string; name?: string; band?: string } | null;
}

export interface PreviewGrid {
  number: number;
  households: number;
  in_band: boolean | null;
  kind: string;
}

export interface Preview extends FeatureCollection<Geometry | null, PreviewGrid> {
  revision: number;
  figures: {
    grids?: number;
    in_band?: number;
    units_left?: number;
    energy?: number;
    [figure: string]: unknown;
  };
}

export interface PlanComment {
  id: number;
  at: string;
  author: string;
  body: string;
  grid: string | null;
  place: LonLat | null;
  resolved: boolean;
  /** What a change of it names as seen. */
  etag: string;
}

export interface PlanGridProperties {
  code: string;
  name: string | null;
  level: number;
  kind: string;
  community: string;
  households: number;
  population?: number;
  in_band?: boolean | null;
  label_point?: LonLat;
}

export type PlanGrids = FeatureCollection<Geometry, PlanGridProperties>;

/** Households that go from one grid to another; from and to where labels of both are. */
export interface Move {
  old: string;
  /** Null: left without a grid. */
  new: string | null;
  households: number;
  population: number;
  units: number;
  from: LonLat | null;
  to: LonLat | null;
}

export interface CheckProblem {
  kind: string;
  /** Code of the grid it is about, empty for the whole plan. */
  code: string;
  text: string;
  m2: number;
}

export interface GridFacts {
  code: string;
  name: string | null;
  level: number;
  households: number;
}

/** What publishing would change (`GET P/publication`). */
export interface PublicationPreview {
  ok: boolean;
  check: { problems?: readonly CheckProblem[] };
  born: readonly GridFacts[];
  gone: readonly GridFacts[];
  going_on: number;
  moving: { households: number; population: number; reports_open: number };
  moves: readonly Move[];
  estimated: boolean;
  /** The service's time zone: its name, and minutes east of UTC now. */
  time_zone?: { name: string; minutes: number };
  /** Other drafts of the same ground, which then no longer begin with what is in force. */
  outdated: readonly PlanRef[];
  waiting: Publication | null;
  communities: readonly string[];
}

export type Published = { generation: number | Generation } | { publication: Publication };

/** What going back to a generation would change. */
export interface Rollback {
  generation: number;
  ended: number;
  back: number;
  households: number;
  communities: readonly string[];
  systems: readonly string[];
}

/** Figures of one plan of a comparison: `planning.evaluate.figures`. */
export interface Figures {
  band: string | Record<string, string>;
  overall: Record<string, unknown>;
  grids: readonly Record<string, unknown>[];
}

export interface ChangesAnswer {
  households: number;
  moved_households: number;
  moved_population: number;
  moved_share: number;
  kept_households: number;
  new_households: number;
  grids_going_on: number;
  heirs: Record<string, string>;
  births: readonly string[];
  ends: readonly string[];
  moves_total: number;
  least_households: number;
  least_share: number;
  boundary_kept: number | null;
  estimated: boolean;
}

export interface GridNow {
  name: string | null;
  level: number;
  /** The code it goes on from; null: it is new. */
  before: string | null;
  households: number;
  households_before: number | null;
  in_band: boolean | null;
}

/** `GET P/compare?with=`: `figures` are P's, `before` the other's. */
export interface Comparison {
  figures: Figures;
  before: Figures;
  changes: ChangesAnswer;
  moves: readonly Move[];
  grids: { now: Record<string, GridNow>; gone: Record<string, Omit<GridFacts, 'code'>> };
  estimated: boolean;
}
