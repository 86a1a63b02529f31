/** Shapes of the answers the dispatch page reads. Coordinates are lon, lat in degrees (EPSG:4490). */
import type { Feature, Point } from 'geojson';
import type { ChainLink } from '../core/types';

export const STAGES = ['发现上报', '指挥派遣', '处置反馈', '事件评价', '结案归档'] as const;
export type Stage = (typeof STAGES)[number];
export const CLOSED: Stage = '结案归档';

export interface OwnerGrid {
  code: string;
  name: string;
  kind: string;
  community: string | null;
  households: number;
  population: number;
}

export interface Post {
  level: string;
  place: string;
  role: string;
  post: string;
  department: string;
  first: boolean;
}

export interface AddressMatch {
  lon: number;
  lat: number;
  full: string;
  score: number;
  confident: boolean;
  accuracy: number;
  grid: string | null;
}

export interface ComponentOwner {
  code: string;
  name: string;
  state: string;
  metres: number;
  dept_supervise: string;
  dept_owner: string;
  dept_maintain: string;
}

export interface Located {
  point: { lon: number; lat: number; crs: string };
  owner: OwnerGrid | null;
  place: 'inside' | 'near' | 'outside';
  reason: string | null;
  nearest: { code: string; name: string; metres: number } | null;
  chain: ChainLink[];
  posts: Post[];
  professional: Record<string, (OwnerGrid & { posts: Post[] }) | null>;
  generation: number;
  distance_to_boundary: number | null;
  near_border: boolean;
  accuracy: number | null;
  candidates: { code: string; name: string; probability: number }[];
  outside_probability: number | null;
  address: (AddressMatch & { others: AddressMatch[]; metres: number }) | null;
  component: ComponentOwner | null;
  responsible: { kind: 'grid' | 'department'; department: string | null; post: string | null } | null;
}

export interface Suggestion {
  text: string;
  kind: string;
  count: number;
}

/** A report as the queue tells it. */
export interface Queued {
  id: number;
  lon: number;
  lat: number;
  accuracy: number | null;
  stage: Stage;
  major: string;
  minor: string;
  channel: string;
  description: string;
  address: string;
  reported_at: string;
  updated_at: string;
  grid: string | null;
  grid_name: string | null;
  community: string | null;
  system: string | null;
  near_border: boolean;
  by_hand: boolean;
}

export interface QueueAnswer {
  reports: Queued[];
  matched: number;
  stages: Record<Stage, number>;
  after: string | null;
}

export interface Update {
  id: number;
  at: string;
  stage: Stage;
  note: string;
  channel: string;
  moved: { grid: string | null; generation: number } | null;
}

export interface NamedGrid {
  code: string;
  name: string;
  system: string;
}

export interface Reassignment {
  id: number;
  at: string;
  author: string;
  from: NamedGrid | null;
  to: NamedGrid;
  reason: string;
}

export interface ReportProperties {
  report_id: string;
  source: string;
  reported_at: string;
  updated_at: string;
  major: string;
  minor: string;
  description: string;
  channel: string;
  stage: Stage;
  accuracy: number | null;
  grid_code: string | null;
  generation: number | null;
  address: string;
  component_code: string;
  department: string;
  agency: string;
  located: { grid_name?: string; system?: string; by_hand?: boolean; near_border?: boolean };
  updates: Update[];
}

export type Report = Feature<Point, ReportProperties> & { id: number };

/** A report with the state of it that was read, and its audit. */
export interface Opened {
  report: Report;
  tag: string;
  audit: Reassignment[];
}

export interface EventService {
  service_code: string;
  service_name: string;
  group: string;
}
