/** Shapes of what /api/v1/heat and the layers answer. */
import type { Feature, Geometry } from 'geojson';

export interface HeatAbout {
  generation: number;
  from: string;
  to: string;
  days: number;
  reports: number;
}

export interface EventClass {
  name: string;
  name_en: string;
  code: string;
  reports: number;
  minors: { code: string; name: string; reports: number }[];
}

export type HeatOverview = HeatAbout & { classes: EventClass[] };

export interface Scale {
  breaks: number[];
  colors: string[];
  peak: number;
  bandwidth: number;
}

export type SurfaceAnswer = HeatAbout & Scale;

export interface Frame {
  from: string;
  to: string;
  whole: boolean;
  reports: number;
  peak: number;
}

export type FramesAnswer = HeatAbout & Scale & { frames: Frame[] };

export const SPOTS = ['hot99', 'hot95', 'hot90', 'none', 'cold90', 'cold95', 'cold99', 'not_rated'] as const;
export type Spot = (typeof SPOTS)[number];

export interface SpotRow {
  grid: string;
  name: string;
  community: string;
  spot: Spot;
  households: number;
  reports: number;
  rate: number | null;
  smoothed: number | null;
  z: number | null;
  q: number | null;
}

export type SpotsAnswer = HeatAbout & {
  permutations: number;
  reason: string | null;
  mean_rate: number | null;
  rows: SpotRow[];
};

export interface PatternRow {
  key: number;
  reports: number;
  exposure: number | null;
  rate: number | null;
  low: number | null;
  high: number | null;
}

export type PatternName = 'month' | 'weekday' | 'hour';
export type PatternsAnswer = HeatAbout & Record<PatternName, PatternRow[]>;

export interface RiseRow {
  grid: string | null;
  name: string;
  community: string;
  major: string;
  major_en: string;
  minor: string;
  observed: number;
  expected: number | null;
  ratio: number | null;
  q: number | null;
  flagged: boolean;
}

export type RisesAnswer = HeatAbout & {
  alpha: number;
  least: number;
  tests: number;
  windows: number;
  window_days: number;
  window: { from: string; to: string };
  flagged: number;
  rows: RiseRow[];
};

export interface SiteProperties {
  rank: number;
  category: string;
  name_zh: string;
  name_en: string;
  [gain: `newly_covered_${string}`]: number;
}

export interface SitesResult {
  proven: boolean;
  output?: string;
  sites: { features: Feature<Geometry, SiteProperties>[] };
  categories: ({ category: string; sites: number; gap: number | null } & Record<
    string,
    number | string | null
  >)[];
}

export interface LayerAttribute {
  name: string;
  type: string;
  title_zh: string;
  title_en: string;
  unit: string;
}

export interface LayerInfo {
  name: string;
  title_zh: string;
  title_en: string;
  base: string | null;
  group: string | null;
  shape: string;
  picture_only: boolean;
  attributes: LayerAttribute[];
  downloads: Record<string, string>;
}

export interface ItemsPage {
  numberMatched?: number;
  features: Feature[];
  links: { rel: string; href: string }[];
}

export interface GenerationRow {
  id: number;
  published_at: string;
  note: string | null;
}
