/** What the service tells of a grid or community (`/api/v1/places/{code}`). */
import type { Geometry } from 'geojson';
import { address, getJson } from '../core/client';
import type { AreaName, Bbox, LonLat, NearestAnswer, Page } from '../core/types';

export interface Neighbour {
  code: string;
  name: string;
  kind: string;
  households: number;
  geometry: Geometry;
}

export interface PlaceAnswer {
  code: string;
  place: 'grid' | 'community';
  name: string;
  name_en: string;
  level: number;
  kind: string;
  generation: { id: number; published_at: string };
  chain: { level: string; code: string; name: string; name_en: string }[];
  posts: { role: string; department: string; first: boolean }[];
  numbers: Record<'households' | 'population' | 'elderly' | 'buildings' | 'grids' | 'square_metres', number>;
  components: { name: string; name_en: string; count: number }[];
  facilities: { category: string; name_zh: string; name_en: string; count: number }[];
  reports: { this_month: number; open: number; months: { month: string; count: number }[] };
  circles: {
    category: string;
    name_zh: string;
    name_en: string;
    minutes: number;
    residents_share: number | null;
  }[];
  point: LonLat;
  geometry: Geometry;
  neighbours: Neighbour[];
}

export interface Street {
  cls: string;
  name: string | null;
}

export const places = {
  one: (code: string) => getJson<PlaceAnswer>(address(`places/${encodeURIComponent(code)}`)),
  nearest: ([lon, lat]: LonLat) =>
    getJson<NearestAnswer>(address('circles/nearest', { lon, lat, profile: 'adult' })),
  streets: (bbox: Bbox) =>
    getJson<Page<Geometry, Street>>(
      address('streets', {
        bbox: bbox.map((value) => value.toFixed(6)).join(),
        cls: 'primary,secondary,tertiary,residential',
        limit: 1500,
      }),
    ),
  water: (bbox: Bbox) =>
    getJson<Page>(address('water', { bbox: bbox.map((value) => value.toFixed(6)).join(), limit: 200 })),
  communities: async () =>
    (await getJson<{ areas: AreaName[] }>(address('overview'))).areas.filter(
      ({ level }) => level === 'community',
    ),
};
