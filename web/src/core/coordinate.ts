/**
 * Coordinates as people write them: "116.58, 35.37 gcj02", "39500000 4380000 EPSG:4527", "EPSG:4548 500000, 3915000",
 * "35°22′12″N 116°34′56″E", "N35 22 12, E116 34 56", "东经116度34分56秒，北纬35度22分12秒".
 */
import type { LonLat } from './types';

export interface Coordinate {
  /** x, y: longitude, latitude; or easting, northing of a projected system. */
  point: LonLat;
  crs: string;
}

const NAMES: Readonly<Record<string, string>> = {
  wgs84: 'wgs84',
  gps: 'wgs84',
  gcj02: 'gcj02',
  amap: 'gcj02',
  tencent: 'gcj02',
  高德: 'gcj02',
  腾讯: 'gcj02',
  火星坐标: 'gcj02',
  bd09: 'bd09',
  baidu: 'bd09',
  百度: 'bd09',
  cgcs2000: 'cgcs2000',
  国家2000: 'cgcs2000',
  '2000国家大地坐标系': 'cgcs2000',
};
const NUMBER = String.raw`[+-]?\d{1,9}(?:\.\d+)?`;
const PAIR = new RegExp(`^(${NUMBER})\\s*[,，;；、\\s]\\s*(${NUMBER})$`);
/** Zones of CGCS2000 with their number before the easting: 25 (75°E) to 45 (135°E) are EPSG:4513 to 4533. */
const FIRST_ZONE = 25;
const LAST_ZONE = 45;
const FIRST_ZONE_CRS = 4513;

/** The coordinate a text means; null when it is none. */
export function parseCoordinate(typed: string): Coordinate | null {
  const [text, crs] = splitSystem(typed.trim());
  const pair = PAIR.exec(text);
  if (pair) return fromPair(Number(pair[1]), Number(pair[2]), crs);
  const sexagesimal = fromDegrees(text);
  return sexagesimal && { point: sexagesimal, crs: crs ?? 'wgs84' };
}

/** A system's name at either end, and the rest. */
function splitSystem(text: string): [string, string | null] {
  const epsg = /(?:^|[\s,，;；]+)epsg\s*[:：]?\s*(\d{4,6})$|^epsg\s*[:：]?\s*(\d{4,6})[\s,，;；]+/i.exec(
    text,
  );
  if (epsg) return [text.replace(epsg[0], '').trim(), `EPSG:${epsg[1] ?? epsg[2]}`];
  const words = text.split(/[\s,，;；]+/);
  for (const word of [words.at(-1), words[0]]) {
    const crs = word && NAMES[word.toLowerCase().replace('-', '')];
    if (!word || !crs) continue;
    const rest = text.startsWith(word) ? text.slice(word.length) : text.slice(0, -word.length);
    return [rest.replace(/^[\s,，;；]+|[\s,，;；]+$/g, ''), crs];
  }
  return [text, null];
}

/**
 * A first number within ±90 with a second beyond it can only be lat, lon, so the two are swapped. Eastings of eight
 * digits carry the number of their zone, which says the system; either order is taken.
 */
function fromPair(first: number, second: number, crs: string | null): Coordinate | null {
  if (crs === null) {
    for (const [x, y] of [
      [first, second],
      [second, first],
    ] as const) {
      const zone = Math.floor(x / 1e6);
      if (zone >= FIRST_ZONE && zone <= LAST_ZONE && y > 0 && y < 1e7) {
        return { point: [x, y], crs: `EPSG:${FIRST_ZONE_CRS + zone - FIRST_ZONE}` };
      }
    }
  }
  const swapped = !crs?.startsWith('EPSG') && Math.abs(first) <= 90 && Math.abs(second) > 90;
  return { point: swapped ? [second, first] : [first, second], crs: crs ?? 'wgs84' };
}

const DEGREES = String.raw`(\d{1,3}(?:\.\d+)?)`;
const MINUTES = String.raw`(?:\s*[°度ºd]|\s)\s*(\d{1,2}(?:\.\d+)?)`;
const SECONDS = String.raw`(?:\s*['′’分m]|\s)\s*(\d{1,2}(?:\.\d+)?)`;
/** Degrees, perhaps minutes, perhaps seconds, with the signs behind them or blanks between them. */
const PART = String.raw`${DEGREES}(?:${MINUTES}(?:${SECONDS}(?:\s*(?:["″”秒s]|''|′′))?)?(?:\s*['′’分m])?)?(?:\s*[°度ºd])?`;
const FRONT = new RegExp(String.raw`(东经|西经|北纬|南纬|[NSEW])\s*${PART}`, 'gi');
const BEHIND = new RegExp(String.raw`${PART}\s*(东经|西经|北纬|南纬|[NSEW])(?![a-z])`, 'gi');
const SIGN = /[°º度′'’NSEW]|东经|北纬|西经|南纬/i;

/** Degrees, minutes and seconds with their hemispheres, in either order; null when that is not all there is. */
function fromDegrees(text: string): LonLat | null {
  if (!SIGN.test(text)) return null;
  const front = /^\s*(?:东经|西经|北纬|南纬|[NSEW])/i.test(text);
  const found = [...text.matchAll(front ? FRONT : BEHIND)];
  if (found.length !== 2) return null;
  const rest = found.reduce((left, match) => left.replace(match[0], ''), text);
  if (/[^\s,，;；、]/.test(rest)) return null;
  let lon: number | null = null;
  let lat: number | null = null;
  for (const match of found) {
    const [degrees, minutes, seconds] = (front ? match.slice(2, 5) : match.slice(1, 4)).map((part) =>
      Number(part ?? 0),
    );
    const side = String(front ? match[1] : match[4]).toUpperCase();
    if ((minutes ?? 0) >= 60 || (seconds ?? 0) >= 60) return null;
    const value = (degrees ?? 0) + (minutes ?? 0) / 60 + (seconds ?? 0) / 3600;
    const signed = ['W', 'S', '西经', '南纬'].includes(side) ? -value : value;
    if (['E', 'W', '东经', '西经'].includes(side)) lon = signed;
    else lat = signed;
  }
  return lon !== null && lat !== null && Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? [lon, lat] : null;
}
