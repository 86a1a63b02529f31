/** Shapes of the service's answers (`/api/v1`). Coordinates are lon, lat in degrees (EPSG:4490). */
import type { Feature, FeatureCollection, Geometry, LineString, MultiPolygon, Point } from 'geojson';

export type LonLat = [number, number];
export type Bbox = [number, number, number, number];
export type AreaLevel = 'district' | 'street' | 'community';

export interface AreaName {
  code: string;
  name: string;
  name_en: string | null;
  level: AreaLevel;
}

export interface Overview {
  areas: AreaName[];
  bounds: Bbox | null;
  generation: { id: number; published_at: string; note: string | null } | null;
  band: { low: number; high: number };
  counts: Record<
    | 'grids'
    | 'buildings'
    | 'households'
    | 'population'
    | 'components'
    | 'facilities'
    | 'reports'
    | 'streets'
    | 'addresses',
    number
  >;
  circles: { profile: Profile; minutes: number[] } | null;
  embedded: boolean;
  /** Credit line of the map data, when the data asks for one. */
  attribution?: string | null;
}

export interface Page<G extends Geometry = Geometry, P = Record<string, unknown>> extends FeatureCollection<
  G,
  P
> {
  numberReturned?: number;
  numberMatched?: number;
  links?: { rel: string; href: string }[];
}

export interface GridProperties {
  code: string;
  name: string | null;
  level: number;
  parent: string | null;
  community: string;
  kind: string;
  households: number;
  population: number;
  compactness: number | null;
  version?: number;
  label_point?: LonLat;
}

export interface GridCircle {
  category: string;
  buildings_share: number | null;
  residents_share: number | null;
}

export interface GridDetailProperties extends GridProperties {
  components?: number;
  facilities?: number;
  reports?: number;
  circles?: GridCircle[];
}

export type GridDetail = Feature<Geometry, GridDetailProperties>;

export interface AreaProperties {
  code: string;
  name: string;
  name_en: string | null;
  level: AreaLevel;
  parent: string | null;
}

export interface ClusterProperties {
  count: number;
  major: string;
  major_name: string;
}

export interface ComponentProperties {
  component_code: string;
  standard: string;
  kind: string;
  major: string;
  minor: string;
  name: string;
  dept_supervise: string | null;
  dept_owner: string | null;
  dept_maintain: string | null;
  state: string;
  first_date: string | null;
  changed_date: string | null;
  source: string | null;
  note: string | null;
}

export type ComponentDetail = Feature<Point, ComponentProperties>;

export interface ComponentClass {
  standard: string;
  kind: string;
  major: string;
  minor: string;
  name: string;
  major_name: string;
}

export interface FacilityProperties {
  facility_id: string;
  category: string;
  name: string | null;
  name_en: string | null;
  address: string | null;
}

export interface FacilityCategory {
  category: string;
  tier: number | string;
  minutes: number;
  metres: number;
  name_zh: string;
  name_en: string;
  count: number;
}

export interface ChainLink {
  level: 'microgrid' | 'grid' | AreaLevel;
  code: string;
  name: string | null;
  name_en: string | null;
}

export interface LocateAnswer {
  point: { lon: number; lat: number; crs: string };
  owner: { code: string; name: string | null; level: number; kind: string } | null;
  chain: ChainLink[];
  generation: number | null;
  nearest: { code: string; metres: number } | null;
}

export const PROFILES = ['adult', 'elderly', 'frail', 'bicycle', 'car'] as const;
export type Profile = (typeof PROFILES)[number];
/** Who is counted. */
export type Who = 'residents' | 'elderly' | 'buildings';
export type Place = 'grid' | 'community';
/** How many facilities of a category are within its minutes, and how many people have that choice. */
export type Choice = Record<'0' | '1' | '2-4' | '5-10' | '11+', number>;

export type CircleCategory = {
  category: string;
  name_zh: string;
  name_en: string;
  minutes: number;
  metres: number;
  facilities: number;
  facilities_on_network: number;
  blind_spots: number;
  opportunity: Choice;
} & Record<`${Who}_${'total' | 'assessed' | 'covered'}` | `straight_line_${Who}_covered`, number>;

/** Share of all categories reached within 15 minutes, over the residents: `histogram` counts 0 %, 10 % … 100 %. */
export interface CircleScore {
  mean: number | null;
  gini: number | null;
  histogram: number[];
}

export interface CirclesSummary {
  profile: Profile;
  minutes: number[];
  /** Those whose circles are stored. */
  profiles: Profile[];
  score: CircleScore;
  /** Streets, buildings, facilities or areas were imported since. */
  outdated: boolean;
  categories: CircleCategory[];
}

export type CoverageRow = { code: string; name: string } & Record<
  Who | `${Who}_${'assessed' | 'covered' | 'straight'}`,
  number
> &
  Record<`${Who}_share`, number | null>;

export interface Coverage {
  profile: Profile;
  category: string;
  by: Place;
  minutes: number;
  rows: CoverageRow[];
}

/** A facility as answers about reach tell it. */
export interface ReachedFacility {
  id: number | null;
  facility_id: string;
  name: string;
  name_en: string;
  lon?: number;
  lat?: number;
}

export interface BlindSpotProperties {
  category: string;
  rank: number;
  buildings: number;
  residents: number;
  elderly: number;
  square_metres: number;
  nearest: ReachedFacility | null;
  seconds: number | null;
  extra_seconds: number | null;
  communities: string[];
}

export type BlindSpot = Feature<MultiPolygon, BlindSpotProperties>;

export interface BlindSpots {
  features: BlindSpot[];
  numberMatched: number;
}

export interface BuildingReachProperties {
  assessable: boolean;
  score: number | null;
  seconds: number | null;
  covered: boolean | null;
}

export interface ReachedPlace {
  lon: number;
  lat: number;
  building: number | null;
  inside: boolean;
  assessable: boolean;
  reason: string | null;
}

export interface NearestRow {
  category: string;
  name_zh: string;
  name_en: string;
  minutes: number;
  facility: (ReachedFacility & { lon: number; lat: number }) | null;
  metres: number | null;
  seconds: number | null;
  covered: boolean | null;
  route: LineString | null;
}

export interface NearestAnswer {
  place: ReachedPlace;
  profile: Profile;
  metres_per_second: number | null;
  factor: number;
  within_seconds: number;
  nearest: NearestRow[];
}

export interface RangesAnswer extends Page<MultiPolygon, { minutes: number; square_metres: number }> {
  direction: 'to' | 'from';
  place: ReachedPlace & { facility: ReachedFacility | null };
}

export interface QueuedJob {
  id: number;
}

export interface Job {
  id: number;
  state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  share: number | null;
  error: { message?: string } | string | null;
}

export interface StyleClass {
  label_zh: string;
  label_en: string;
  color: string;
  /** The attribute's own value, for classes that are no range. */
  value?: string | null;
  min: number | null;
  max: number | null;
}

export interface Styles {
  layers: Record<string, { title_zh?: string; title_en?: string; classes?: StyleClass[] }>;
}
