/** What is looked at, in the page's address: #zoom/lat/lon[/category][?profile=…&at=lon,lat&building=ID]. */
import { type LonLat, PROFILES, type Profile } from './types';

export interface Place {
  zoom: number;
  lat: number;
  lon: number;
  category: string | null;
  profile: Profile;
  /** The place asked about, and the building it was. */
  at: LonLat | null;
  building: number | null;
}

const onEarth = (lon: number, lat: number): boolean => Math.abs(lat) <= 90 && Math.abs(lon) <= 180;

function readPoint(text: string | null): LonLat | null {
  const match = /^(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?)$/.exec(text ?? '');
  if (!match) return null;
  const [lon, lat] = [Number(match[1]), Number(match[2])];
  return onEarth(lon, lat) ? [lon, lat] : null;
}

/** Read an address part like "#14.50/35.37120/116.58230/clinic?profile=elderly"; null when it is none. */
export function readPlace(hash: string): Place | null {
  const [view, asked] = hash.split('?', 2);
  const match = /^#(\d{1,2}(?:\.\d+)?)\/(-?\d+(?:\.\d+)?)\/(-?\d+(?:\.\d+)?)(?:\/([\w-]+))?$/.exec(
    view ?? '',
  );
  if (!match) return null;
  const [zoom, lat, lon] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (!onEarth(lon, lat)) return null;
  const words = new URLSearchParams(asked ?? '');
  const at = readPoint(words.get('at'));
  const building = words.get('building') ?? '';
  return {
    zoom,
    lat,
    lon,
    category: match[4] ?? null,
    profile: PROFILES.find((profile) => profile === words.get('profile')) ?? 'adult',
    at,
    building: at && /^\d{1,15}$/.test(building) ? Number(building) : null,
  };
}

export function writePlace({ zoom, lat, lon, category, profile, at, building }: Place): string {
  const view = `#${zoom.toFixed(2)}/${lat.toFixed(5)}/${lon.toFixed(5)}${category ? `/${category}` : ''}`;
  const words: string[] = [];
  if (profile !== 'adult') words.push(`profile=${profile}`);
  if (at) words.push(`at=${at[0].toFixed(6)},${at[1].toFixed(6)}`);
  if (at && building !== null) words.push(`building=${building}`);
  return words.length > 0 ? `${view}?${words.join('&')}` : view;
}
