/** Shapes of the service's answers about plans (`/api/v1/plans`, `/api/v1/generations`, `/api/v1/jobs`). */
import type { FeatureCollection, Geometry } from 'geojson';
import type { LonLat } from '../core/types';
import type { Band } from '../workbench/model/types';

/** What a dialog must know of a plan to begin with; the rest is read. */
export interface PlanRef {
  id: number;
  name: string;
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
  households?: number;
  population?: number;
  in_band?: number | null;
  [figure: string]: unknown;
}

export interface Plan extends PlanRef {
  area: string;
  area_name: string;
  area_name_en: string | null;
  status: 'draft' | 'published';
  band: Band;
  levels: unknown;
  seed: number | null;
  feasible: boolean | null;
  reasons: unknown;
  stats: PlanStats;
  version: number;
  created_at: string;
  updated_at: string | null;
  author: string;
  source: string;
  note: string;
  editable: boolean;
  generation: number | null;
  publication: Publication | null;
}

export interface PlanComment {
  id: number;
  at: string;
  author: string;
  body: string;
  grid: string | null;
  place: LonLat | null;
  resolved: boolean;
}

export interface PlanGridProperties {
  code: string;
  name: string | null;
  level: number;
  kind: string;
  community: string;
  households: number;
  population?: number;
}

export type PlanGrids = FeatureCollection<Geometry, PlanGridProperties>;
