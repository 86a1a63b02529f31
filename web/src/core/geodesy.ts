/** Lengths and areas on the ellipsoid of CGCS2000 (that of GRS 80), from degrees. */
import type { LonLat } from './types';

const A = 6378137;
const F = 1 / 298.257222101;
const B = A * (1 - F);
const E2 = F * (2 - F);
const E = Math.sqrt(E2);
const RAD = Math.PI / 180;

/**
 * Metres of the geodesic between two places. Vincenty's inverse formula (Survey Review 23 (176), 1975), right to a
 * millimetre; where it does not converge (nearly antipodal places) the great circle is taken.
 */
export function distanceBetween([lon1, lat1]: LonLat, [lon2, lat2]: LonLat): number {
  const L = (lon2 - lon1) * RAD;
  const U1 = Math.atan((1 - F) * Math.tan(lat1 * RAD));
  const U2 = Math.atan((1 - F) * Math.tan(lat2 * RAD));
  const [sin1, cos1, sin2, cos2] = [Math.sin(U1), Math.cos(U1), Math.sin(U2), Math.cos(U2)];
  let lambda = L;
  for (let turn = 0; turn < 100; turn += 1) {
    const [sinL, cosL] = [Math.sin(lambda), Math.cos(lambda)];
    const sinS = Math.hypot(cos2 * sinL, cos1 * sin2 - sin1 * cos2 * cosL);
    if (sinS === 0) return 0;
    const cosS = sin1 * sin2 + cos1 * cos2 * cosL;
    const sigma = Math.atan2(sinS, cosS);
    const sinA = (cos1 * cos2 * sinL) / sinS;
    const cos2A = 1 - sinA ** 2;
    const cosM = cos2A === 0 ? 0 : cosS - (2 * sin1 * sin2) / cos2A;
    const C = (F / 16) * cos2A * (4 + F * (4 - 3 * cos2A));
    const next = L + (1 - C) * F * sinA * (sigma + C * sinS * (cosM + C * cosS * (2 * cosM ** 2 - 1)));
    if (Math.abs(next - lambda) < 1e-12) {
      const u2 = (cos2A * (A ** 2 - B ** 2)) / B ** 2;
      const big = 1 + (u2 / 16384) * (4096 + u2 * (-768 + u2 * (320 - 175 * u2)));
      const small = (u2 / 1024) * (256 + u2 * (-128 + u2 * (74 - 47 * u2)));
      const inner =
        cosS * (2 * cosM ** 2 - 1) - (small / 6) * cosM * (4 * sinS ** 2 - 3) * (4 * cosM ** 2 - 3);
      return B * big * (sigma - small * sinS * (cosM + (small / 4) * inner));
    }
    lambda = next;
  }
  const half =
    Math.sin(((lat2 - lat1) * RAD) / 2) ** 2 +
    Math.cos(lat1 * RAD) * Math.cos(lat2 * RAD) * Math.sin(L / 2) ** 2;
  return 2 * 6371008.8 * Math.asin(Math.sqrt(half));
}

/** Metres along a line. */
export function lengthOf(line: readonly LonLat[]): number {
  return line.slice(1).reduce((sum, place, at) => sum + distanceBetween(line[at]!, place), 0);
}

/** q of a latitude: the area between the equator and it is proportional to it (Snyder 1987, 3-12). */
function q(lat: number): number {
  const sin = Math.sin(lat * RAD);
  return (1 - E2) * (sin / (1 - E2 * sin ** 2) - Math.log((1 - E * sin) / (1 + E * sin)) / (2 * E));
}

/**
 * Square metres inside a ring. Exact in Lambert's cylindrical equal-area projection of the ellipsoid; its straight
 * sides differ from geodesics by nothing that matters in a city (1e-6 over 10 km).
 */
export function areaOf(ring: readonly LonLat[]): number {
  const points = ring.map(([lon, lat]): LonLat => [A * lon * RAD, (A * q(lat)) / 2]);
  const [x0, y0] = points[0] ?? [0, 0];
  let twice = 0;
  points.forEach(([x, y], at) => {
    const [nextX, nextY] = points[(at + 1) % points.length]!;
    twice += (x - x0) * (nextY - y0) - (nextX - x0) * (y - y0);
  });
  return Math.abs(twice) / 2;
}
