/** Shapes of the service's answers (`/api/v1`). Coordinates are lon, lat in degrees (EPSG:4490). */
import type { Feature, FeatureCollection, Geometry, Point } from 'geojson';

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
    'grids' | 'buildings' | 'households' | 'population' | 'components' | 'facilities' | 'reports' | 'streets',
    number
  >;
  circles: { profile: string; minutes: number[] } | null;
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

export interface CircleCategory {
  category: string;
  name_zh: string;
  name_en: string;
  minutes: number;
  metres: number;
  facilities: number;
  buildings_total: number;
  buildings_assessed: number;
  buildings_covered: number;
  residents_total: number;
  residents_assessed: number;
  residents_covered: number;
}

export interface CirclesSummary {
  profile: string;
  minutes: number[];
  categories: CircleCategory[];
}

export interface CoverageRow {
  code: string;
  buildings: number;
  buildings_covered: number;
  residents: number;
  residents_covered: number;
  residents_share: number | null;
}

export interface Coverage {
  category: string;
  minutes: number;
  rows: CoverageRow[];
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
