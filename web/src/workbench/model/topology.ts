/** Reads and checks the bytes of a unit set's topology (docs: `application/vnd.gisgrid.topology`). */

import type { Topology } from './types';

/** The bytes are no topology, or one that contradicts itself. */
export class TopologyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TopologyError';
  }
}

const MAGIC = 'GGT1';
const CM = 100;
const TYPES = { i1: Int8Array, i2: Int16Array, i4: Int32Array, u4: Uint32Array, f4: Float32Array } as const;
type TypeName = keyof typeof TYPES;
type Arrays = { [K in TypeName]: InstanceType<(typeof TYPES)[K]> };

interface Told {
  type: string;
  offset: number;
  length: number;
}

interface Header {
  unit_set: number;
  crs: string;
  origin: [number, number];
  unit_ids: string[];
  communities: { code: string; name: string }[];
  compounds: string[];
  kinds: string[];
  classes: string[];
  major: number;
  arrays: Record<string, Told>;
}

const demand: (ok: boolean, message: string) => asserts ok = (ok, message) => {
  if (!ok) throw new TopologyError(`The topology cannot be read: ${message}.`);
};

function readHeader(buffer: ArrayBuffer): { header: Header; data: number } {
  demand(buffer.byteLength >= 8, `${buffer.byteLength} bytes are too few`);
  const magic = String.fromCharCode(...new Uint8Array(buffer, 0, 4));
  demand(magic === MAGIC, `it begins with ${JSON.stringify(magic)}, not ${MAGIC}`);
  const length = new DataView(buffer).getUint32(4, true);
  const data = 8 + length;
  demand(data <= buffer.byteLength, 'it ends inside its header');
  demand(data % 8 === 0, `its data begins at byte ${data}, no multiple of 8`);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array(buffer, 8, length)));
  } catch {
    throw new TopologyError('The topology cannot be read: its header is no JSON.');
  }
  demand(typeof header === 'object' && header !== null && !Array.isArray(header), 'its header is no object');
  const found = header as Header;
  demand(Number.isInteger(found.unit_set), 'unit_set is missing');
  demand(found.crs === 'EPSG:3857', `its coordinates are ${String(found.crs)}, not EPSG:3857`);
  demand(
    Array.isArray(found.origin) && found.origin.length === 2 && found.origin.every(Number.isFinite),
    'origin is no pair of numbers',
  );
  for (const name of ['unit_ids', 'communities', 'compounds', 'kinds', 'classes'] as const) {
    demand(Array.isArray(found[name]), `${name} is no list`);
  }
  demand(Number.isInteger(found.major), 'major is missing');
  demand(typeof found.arrays === 'object' && found.arrays !== null, 'arrays are missing');
  return { header: found, data };
}

/** The topology in `buffer`. Arrays of counts and arcs lie on the buffer itself. Throws TopologyError. */
export function decodeTopology(buffer: ArrayBuffer): Topology {
  const { header, data } = readHeader(buffer);
  const take = <K extends TypeName>(name: string, type: K, length?: number): Arrays[K] => {
    const told = header.arrays[name];
    demand(told !== undefined, `array ${name} is missing`);
    demand(told.type === type, `array ${name} is of type ${told.type}, not ${type}`);
    demand(Number.isInteger(told.length) && told.length >= 0, `array ${name} has no length`);
    demand(
      length === undefined || told.length === length,
      `array ${name} has ${told.length} values, not ${length}`,
    );
    const Kind = TYPES[type];
    const begin = data + told.offset;
    demand(
      Number.isInteger(told.offset) && told.offset >= 0 && begin % 8 === 0,
      `array ${name} is not aligned`,
    );
    demand(begin + told.length * Kind.BYTES_PER_ELEMENT <= buffer.byteLength, `it ends inside array ${name}`);
    return new Kind(buffer, begin, told.length) as Arrays[K];
  };
  const n = header.unit_ids.length;
  const [x, y] = header.origin;
  const place = (values: Int32Array): Float64Array => {
    const out = new Float64Array(values.length);
    for (let at = 0; at < values.length; at += 1) out[at] = values[at]! / CM + (at % 2 ? y : x);
    return out;
  };
  const arcLeft = take('arc_left', 'i4');
  const arcs = arcLeft.length;
  const topology: Topology = {
    unitSet: header.unit_set,
    unitIds: header.unit_ids,
    communities: header.communities,
    compounds: header.compounds,
    kinds: header.kinds,
    classes: header.classes,
    major: header.major,
    households: take('households', 'i4', n),
    population: take('population', 'i4', n),
    elderly: take('elderly', 'i4', n),
    priority: take('priority', 'i4', n),
    buildings: take('buildings', 'i4', n),
    area: take('area', 'f4', n),
    point: place(take('point', 'i4', 2 * n)),
    compound: take('compound', 'i4', n),
    community: take('community', 'i2', n),
    kind: take('kind', 'i1', n),
    points: place(take('points', 'i4')),
    arcStart: take('arc_start', 'u4', arcs + 1),
    arcLeft,
    arcRight: take('arc_right', 'i4', arcs),
    arcFrom: take('arc_from', 'u4', arcs),
    arcTo: take('arc_to', 'u4', arcs),
    metres: take('metres', 'f4', arcs),
    arcClass: take('arc_class', 'i1', arcs),
  };
  check(topology);
  return topology;
}

/** Numbers point at things that are there; every arc has a length. */
function check(topology: Topology): void {
  const n = topology.unitIds.length;
  const within = (name: string, values: ArrayLike<number>, low: number, high: number): void => {
    for (let at = 0; at < values.length; at += 1) {
      const value = values[at]!;
      demand(value >= low && value < high, `${name}[${at}] is ${value}, outside ${low} … ${high - 1}`);
    }
  };
  within('arc_left', topology.arcLeft, -1, n);
  within('arc_right', topology.arcRight, -1, n);
  within('arc_class', topology.arcClass, 0, topology.classes.length);
  within('compound', topology.compound, -1, topology.compounds.length);
  within('community', topology.community, -1, topology.communities.length);
  within('kind', topology.kind, -1, topology.kinds.length);
  within('households', topology.households, 0, 2 ** 31);
  const { arcStart, points } = topology;
  demand(points.length % 2 === 0, 'points has an odd number of values');
  demand(arcStart[0] === 0, 'arc_start does not begin with 0');
  demand(arcStart[arcStart.length - 1] === points.length / 2, 'arc_start does not end with the points');
  for (let arc = 0; arc < topology.arcLeft.length; arc += 1) {
    demand(arcStart[arc + 1]! >= arcStart[arc]! + 2, `arc ${arc} has fewer than two points`);
  }
}
