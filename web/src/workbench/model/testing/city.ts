/**
 * A made city for tests: a jittered grid of units with shared vertices, streets, a river, compounds, communities; and
 * a small seeded generator of random numbers, so that a failing case can be run again.
 */

import type { AssignmentAnswer, Topology } from '../types';

export interface Random {
  next(): number;
  below(limit: number): number;
  pick<T>(from: readonly T[]): T;
}

/** mulberry32 (T. Ettinger, public domain). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return { next, below, pick: (from) => from[below(from.length)]! };
}

export interface CityOptions {
  columns: number;
  rows: number;
  seed?: number;
  /** Metres between vertices; how far they stray, as a share; blocks a street runs every so many units. */
  size?: number;
  jitter?: number;
  street?: number;
  /** Column the river runs along, −1 none. */
  river?: number;
  /** Communities side by side, columns each. */
  communities?: number;
}

export const CLASSES = ['none', 'wall', 'residential', 'tertiary', 'secondary', 'primary', 'river'];
export const MAJOR = 4;
const ORIGIN = [12_900_000, 4_200_000] as const;

/** Units row by row from the south-west: unit = row × columns + column. Middle of every side has a vertex too. */
export function city(options: CityOptions): Topology {
  const { columns, rows, size = 50, jitter = 0.25, street = 5, river = -1 } = options;
  const random = seeded(options.seed ?? 1);
  const n = columns * rows;
  const wide = columns + 1;
  const cm = (value: number): number => Math.round(value * 100) / 100;
  const corner = new Float64Array(2 * wide * (rows + 1));
  for (let r = 0; r <= rows; r += 1) {
    for (let c = 0; c <= columns; c += 1) {
      const at = 2 * (r * wide + c);
      corner[at] = cm(ORIGIN[0] + size * (c + jitter * (random.next() - 0.5) * 2));
      corner[at + 1] = cm(ORIGIN[1] + size * (r + jitter * (random.next() - 0.5) * 2));
    }
  }
  const unit = (r: number, c: number): number =>
    r < 0 || c < 0 || r >= rows || c >= columns ? -1 : r * columns + c;
  const points: number[] = [];
  const arcStart = [0];
  const [left, right, from, to, metres, cls]: number[][] = [[], [], [], [], [], []];
  const arc = (a: number, b: number, l: number, r: number, kind: number): void => {
    // half of the arcs run the other way, and some have a vertex in between
    const [p, q, one, two] = random.next() < 0.5 ? [a, b, l, r] : [b, a, r, l];
    const line = [corner[2 * p]!, corner[2 * p + 1]!];
    if (random.next() < 0.5) {
      const mx = (corner[2 * p]! + corner[2 * q]!) / 2 + size * 0.1 * (random.next() - 0.5);
      const my = (corner[2 * p + 1]! + corner[2 * q + 1]!) / 2 + size * 0.1 * (random.next() - 0.5);
      line.push(cm(mx), cm(my));
    }
    line.push(corner[2 * q]!, corner[2 * q + 1]!);
    points.push(...line);
    arcStart.push(points.length / 2);
    left!.push(one!);
    right!.push(two!);
    from!.push(p!);
    to!.push(q!);
    let length = 0;
    for (let k = 0; k + 3 < line.length; k += 2)
      length += Math.hypot(line[k + 2]! - line[k]!, line[k + 3]! - line[k + 1]!);
    metres!.push(length);
    cls!.push(kind);
  };
  for (let r = 0; r <= rows; r += 1) {
    for (let c = 0; c < columns; c += 1) {
      arc(
        r * wide + c,
        r * wide + c + 1,
        unit(r, c),
        unit(r - 1, c),
        r % street === 0 ? (r % (4 * street) ? 2 : 3) : 0,
      );
    }
  }
  for (let r = 0; r < rows; r += 1) {
    for (let c = 0; c <= columns; c += 1) {
      const kind = c === river ? 6 : c % street === 0 ? (c % (4 * street) ? 2 : 3) : 0;
      arc(r * wide + c, (r + 1) * wide + c, unit(r, c - 1), unit(r, c), kind);
    }
  }
  const area = new Float64Array(n);
  for (let a = 0; a < left!.length; a += 1) {
    for (let k = arcStart[a]!; k < arcStart[a + 1]! - 1; k += 1) {
      const [x0, y0] = [points[2 * k]! - ORIGIN[0], points[2 * k + 1]! - ORIGIN[1]];
      const [x1, y1] = [points[2 * k + 2]! - ORIGIN[0], points[2 * k + 3]! - ORIGIN[1]];
      const half = (x0 * y1 - x1 * y0) / 2;
      if (left![a]! >= 0) area[left![a]!]! += half;
      if (right![a]! >= 0) area[right![a]!]! -= half;
    }
  }
  const homes = Int32Array.from({ length: n }, () => (random.next() < 0.15 ? 0 : 4 + random.below(28)));
  const parts = options.communities ?? 1;
  const point = new Float64Array(2 * n);
  for (let u = 0; u < n; u += 1) {
    const [r, c] = [Math.floor(u / columns), u % columns];
    for (const k of [0, 1]) {
      const at = (one: number, two: number): number => corner[2 * (one * wide + two) + k]!;
      point[2 * u + k] = cm((at(r, c) + at(r, c + 1) + at(r + 1, c) + at(r + 1, c + 1)) / 4);
    }
  }
  const across = Math.ceil(columns / 3);
  return {
    unitSet: 7,
    unitIds: Array.from({ length: n }, (_, u) => `U${u}`),
    communities: Array.from({ length: parts }, (_, k) => ({
      code: `37081100100${k + 1}`,
      name: `社区${k + 1}`,
    })),
    compounds: Array.from({ length: across * Math.ceil(rows / 3) }, (_, k) => `C${k}`),
    kinds: ['residential', 'park'],
    classes: CLASSES,
    major: MAJOR,
    households: homes,
    population: homes.map((one) => one * 3),
    elderly: homes.map((one) => Math.floor(one / 4)),
    priority: homes.map((one) => Math.floor(one / 20)),
    buildings: homes.map((one) => (one > 0 ? 1 : 0)),
    area: Float32Array.from(area),
    point,
    compound: Int32Array.from({ length: n }, (_, u) =>
      u % 5 === 0 ? -1 : Math.floor(u / columns / 3) * across + Math.floor((u % columns) / 3),
    ),
    community: Int16Array.from({ length: n }, (_, u) => Math.floor(((u % columns) * parts) / columns)),
    kind: new Int8Array(n),
    points: Float64Array.from(points),
    arcStart: Uint32Array.from(arcStart),
    arcLeft: Int32Array.from(left!),
    arcRight: Int32Array.from(right!),
    arcFrom: Uint32Array.from(from!),
    arcTo: Uint32Array.from(to!),
    metres: Float32Array.from(metres!),
    arcClass: Int8Array.from(cls!),
  };
}

export const countsFor = (topology: Topology): { components: number[]; reports_per_month: number[] } => ({
  components: topology.unitIds.map((_, u) => u % 7),
  reports_per_month: topology.unitIds.map((_, u) => (u % 5) / 2),
});

/** A plan of square grids, `block` × `block` units each; deeper levels halve them. */
export function squares(topology: Topology, columns: number, block: number, levels = 1): AssignmentAnswer {
  const n = topology.unitIds.length;
  const made: AssignmentAnswer['levels'] = [];
  let parents: string[] = [];
  for (let level = 1; level <= levels; level += 1) {
    const side = block / 2 ** (level - 1);
    const across = Math.ceil(columns / side);
    const places = new Map<string, number>();
    const grids: AssignmentAnswer['levels'][number]['grids'] = [];
    const inside = new Map<string, number>();
    const owner = Array.from({ length: n }, (_, u) => {
      const community = topology.communities[topology.community[u]!]!.code;
      const above = level === 1 ? community : parents[u]!;
      const square = Math.floor(Math.floor(u / columns) / side) * across + Math.floor((u % columns) / side);
      const key = `${above}/${square}`;
      let place = places.get(key);
      if (place === undefined) {
        const number = (inside.get(above) ?? 0) + 1;
        inside.set(above, number);
        place = grids.length;
        places.set(key, place);
        const code = above + String(number).padStart(level === 1 ? 3 : 2, '0');
        const parent = level === 1 ? null : above;
        grids.push({ code, name: `第${number}网格`, kind: 'ordinary', parent, community, locked: false });
      }
      return place;
    });
    parents = owner.map((place) => grids[place]!.code);
    made.push({ level, band: level === 1 ? { low: 300, high: 500 } : null, grids, owner });
  }
  return {
    plan: 1,
    name: '测试方案',
    area: '370811',
    status: 'draft',
    version: 1,
    unit_set: topology.unitSet,
    band: { low: 300, high: 500 },
    levels: made,
  };
}
