/** Writes topologies as the service does (`gisgrid/packing.py`). */

import type { Topology } from '../types';

const MAGIC = 'GGT1';
const CM = 100;

interface Told {
  type: string;
  offset: number;
  length: number;
}

/** The bytes the service would send for a topology, to read them back in tests. */
export function encodeTopology(topology: Topology, origin: readonly [number, number]): ArrayBuffer {
  const cm = (values: Float64Array): Int32Array =>
    Int32Array.from(values, (value, at) => Math.round((value - origin[at % 2]!) * CM));
  const arrays: [string, string, Int8Array | Int16Array | Int32Array | Uint32Array | Float32Array][] = [
    ['households', 'i4', topology.households],
    ['population', 'i4', topology.population],
    ['elderly', 'i4', topology.elderly],
    ['priority', 'i4', topology.priority],
    ['buildings', 'i4', topology.buildings],
    ['area', 'f4', topology.area],
    ['point', 'i4', cm(topology.point)],
    ['compound', 'i4', topology.compound],
    ['community', 'i2', topology.community],
    ['kind', 'i1', topology.kind],
    ['points', 'i4', cm(topology.points)],
    ['arc_start', 'u4', topology.arcStart],
    ['arc_left', 'i4', topology.arcLeft],
    ['arc_right', 'i4', topology.arcRight],
    ['arc_from', 'u4', topology.arcFrom],
    ['arc_to', 'u4', topology.arcTo],
    ['metres', 'f4', topology.metres],
    ['arc_class', 'i1', topology.arcClass],
  ];
  let size = 0;
  const told: Record<string, Told> = {};
  for (const [name, type, values] of arrays) {
    told[name] = { type, offset: size, length: values.length };
    size += Math.ceil(values.byteLength / 8) * 8;
  }
  const text = JSON.stringify({
    unit_set: topology.unitSet,
    crs: 'EPSG:3857',
    origin,
    unit_ids: topology.unitIds,
    communities: topology.communities,
    compounds: topology.compounds,
    kinds: topology.kinds,
    classes: topology.classes,
    major: topology.major,
    arrays: told,
  });
  let bytes = new TextEncoder().encode(text);
  bytes = new TextEncoder().encode(text + ' '.repeat((8 - (bytes.length % 8)) % 8));
  const out = new ArrayBuffer(8 + bytes.length + size);
  const view = new Uint8Array(out);
  view.set(new TextEncoder().encode(MAGIC), 0);
  new DataView(out).setUint32(4, bytes.length, true);
  view.set(bytes, 8);
  for (const [name, , values] of arrays) {
    view.set(
      new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
      8 + bytes.length + told[name]!.offset,
    );
  }
  return out;
}
