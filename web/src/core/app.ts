/** What the page knows: the data read once at start, and the state people change. */

import type { Geometry } from 'geojson';
import type { Lang } from '../i18n';
import type { Taken } from './client';
import { service } from './client';
import { type Palette, paletteOf } from './palette';
import { createStore, type Store } from './store';
import type {
  AreaProperties,
  BlindSpots,
  CirclesSummary,
  ComponentProperties,
  Coverage,
  FacilityCategory,
  FacilityProperties,
  GridDetail,
  GridProperties,
  LocateAnswer,
  LonLat,
  NearestAnswer,
  Overview,
  Place,
  Profile,
  RangesAnswer,
  Who,
} from './types';

export const LAYER_KEYS = [
  'grids',
  'labels',
  'areas',
  'components',
  'facilities',
  'streets',
  'water',
  'buildings',
] as const;
export type LayerKey = (typeof LAYER_KEYS)[number];

export type PanelKey = 'layers' | 'circles' | 'heat' | 'siting' | 'table';

/** What colours the map in place of households: grids are drawn plain, and the legend is this. */
export interface Theme {
  legend: () => HTMLElement[];
}

/** The place asked about, and what is known of it so far. */
export interface Selection {
  point: LonLat;
  crs: string;
  answer: LocateAnswer | null;
  grid: GridDetail | null;
  /** Id of the building pointed at, or null for a plain place. */
  building: number | null;
}

/** The nearest facilities of the place selected. */
export interface Reach {
  building: number | null;
  answer: NearestAnswer | null;
}

/** Areas within 5, 10 and 15 minutes of one place, drawn on the spot. */
export interface Ranges {
  /** Id of the facility they lead to, or null for those from the place selected. */
  facility: number | null;
  answer: RangesAnswer;
}

/** Circles being computed for a profile. */
export interface Computing {
  profile: Profile;
  share: number;
}

/** A component or facility with its popup open. */
export type Opened =
  | { kind: 'component'; at: LonLat; properties: ComponentProperties }
  | { kind: 'facility'; at: LonLat; id: number | null; properties: FacilityProperties };

export interface State {
  lang: Lang;
  panel: PanelKey;
  panelOpen: boolean;
  layers: Readonly<Record<LayerKey, boolean>>;
  /** Categories whose facilities are drawn. */
  facilities: ReadonlySet<string>;
  /** Category whose coverage colours the grids, or null for households. */
  category: string | null;
  profile: Profile;
  /** Profiles whose circles are stored; null until asked. */
  computed: readonly Profile[] | null;
  /** Figures of the profile, null while they are not there. */
  summary: CirclesSummary | null;
  computing: Computing | null;
  who: Who;
  by: Place;
  coverage: Coverage | null;
  blind: BlindSpots | null;
  /** Rank of the blind spot pointed at in the list. */
  spot: number | null;
  isochrones: boolean;
  /** Metres a second (a share of the usual speed for cars) in place of the profile's own. */
  speed: number | null;
  reach: Reach | null;
  /** Category whose way stays drawn strong, and the one pointed at. */
  way: string | null;
  wayUnder: string | null;
  ranges: Ranges | null;
  /** Whether single buildings are in sight. */
  near: boolean;
  selection: Selection | null;
  opened: Opened | null;
  theme: Theme | null;
}

/** Read once at start. */
export interface Catalog {
  overview: Overview;
  palette: Palette;
  grids: Taken<Geometry, GridProperties>;
  areas: Taken<Geometry, AreaProperties>;
  categories: FacilityCategory[];
  /** Component major code → name. */
  majors: Map<string, string>;
  areaByCode: Map<string, AreaProperties>;
  gridByCode: Map<string, GridProperties>;
}

export interface App {
  store: Store<State>;
  catalog: Catalog;
}

/** Whether the page shows service circles now. */
export const circlesOn = ({ panel, category }: Readonly<State>): boolean =>
  panel === 'circles' || category !== null;

/** Whether circles of the profile chosen are stored. */
export const isComputed = ({ computed, profile }: Readonly<State>): boolean =>
  computed?.includes(profile) ?? false;

const empty = <G extends Geometry, P>(): Taken<G, P> => ({ features: [], partial: false });

/** Read the catalogue. The overview and the grids must be there; the rest may be missing from an early server. */
export async function readCatalog(onProblem: (error: unknown) => void): Promise<Catalog> {
  const orElse = <T>(work: Promise<T>, otherwise: T): Promise<T> =>
    work.catch((error: unknown) => {
      onProblem(error);
      return otherwise;
    });
  const [overview, grids, areas, styles, categories, componentClasses] = await Promise.all([
    service.overview(),
    service.grids(),
    orElse(service.areas(), empty<Geometry, AreaProperties>()),
    service.styles().catch(() => null), // the page has tones of its own
    orElse(service.facilityCategories(), []),
    orElse(service.componentClasses(), []),
  ]);
  return {
    overview,
    grids,
    areas,
    palette: paletteOf(styles, overview.band),
    categories,
    majors: new Map(componentClasses.map((row) => [row.major, row.major_name])),
    gridByCode: new Map(grids.features.map(({ properties }) => [properties.code, properties])),
    areaByCode: new Map(areas.features.map(({ properties }) => [properties.code, properties])),
  };
}

export function createState(lang: Lang): Store<State> {
  return createStore<State>({
    lang,
    panel: 'layers',
    panelOpen: !window.matchMedia('(max-width: 760px)').matches,
    layers: {
      grids: true,
      labels: true,
      areas: true,
      components: false,
      facilities: false,
      streets: true,
      water: true,
      buildings: true,
    },
    facilities: new Set(),
    category: null,
    profile: 'adult',
    computed: null,
    summary: null,
    computing: null,
    who: 'residents',
    by: 'grid',
    coverage: null,
    blind: null,
    spot: null,
    isochrones: true,
    speed: null,
    reach: null,
    way: null,
    wayUnder: null,
    ranges: null,
    near: false,
    selection: null,
    opened: null,
    theme: null,
  });
}
