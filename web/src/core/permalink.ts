/** The view in the page's address: #zoom/lat/lon[/category]. */
export interface Place {
  zoom: number;
  lat: number;
  lon: number;
  category: string | null;
}

/** Read an address part like "#14.50/35.37120/116.58230/clinic"; null when it is none. */
export function readPlace(hash: string): Place | null {
  const match = /^#(\d{1,2}(?:\.\d+)?)\/(-?\d+(?:\.\d+)?)\/(-?\d+(?:\.\d+)?)(?:\/([\w-]+))?$/.exec(hash);
  if (!match) return null;
  const [zoom, lat, lon] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (Math.abs(lat) > 90 || Math.abs(lon) > 180) return null;
  return { zoom, lat, lon, category: match[4] ?? null };
}

export function writePlace({ zoom, lat, lon, category }: Place): string {
  const place = `#${zoom.toFixed(2)}/${lat.toFixed(5)}/${lon.toFixed(5)}`;
  return category ? `${place}/${category}` : place;
}
