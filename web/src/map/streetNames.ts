/** Streets come in pieces from crossing to crossing; their names are written along the whole of them. */
import Feature from 'ol/Feature';
import LineString from 'ol/geom/LineString';
import MultiLineString from 'ol/geom/MultiLineString';

type Line = number[][];

const knot = ([x, y]: number[]): string => `${Math.round((x ?? 0) * 10)},${Math.round((y ?? 0) * 10)}`;

/** Join lines that meet end to end, as far as they go. Coordinates in metres; ends meet within a decimetre. */
export function joinLines(lines: readonly Line[]): Line[] {
  const left = new Set(lines.map((_, at) => at).filter((at) => (lines[at]?.length ?? 0) > 1));
  const ends = new Map<string, number[]>();
  for (const at of left) {
    const line = lines[at]!;
    for (const end of [line[0]!, line[line.length - 1]!]) {
      const key = knot(end);
      const there = ends.get(key);
      if (there) there.push(at);
      else ends.set(key, [at]);
    }
  }
  /** The line grown at its end by every piece still left that begins or ends there. */
  function grown(start: Line): Line {
    let line = start;
    for (;;) {
      const key = knot(line[line.length - 1]!);
      const next = ends.get(key)?.find((at) => left.has(at));
      if (next === undefined) return line;
      left.delete(next);
      const piece = lines[next]!;
      const forth = knot(piece[0]!) === key ? piece : [...piece].reverse();
      line = [...line, ...forth.slice(1)];
    }
  }
  const joined: Line[] = [];
  for (const at of [...left]) {
    if (!left.delete(at)) continue;
    const forth = grown(lines[at]!);
    joined.push(grown([...forth].reverse()));
  }
  return joined;
}

/** One feature per joined line of every named street, with `name` and `cls`. */
export function nameLines(streets: readonly Feature[]): Feature[] {
  const groups = new Map<string, { name: string; cls: string; lines: Line[] }>();
  for (const street of streets) {
    const name = street.get('name') as string | null;
    const cls = String(street.get('cls'));
    if (!name || cls === 'foot' || cls === 'rail') continue;
    const geometry = street.getGeometry();
    const lines =
      geometry instanceof LineString
        ? [geometry.getCoordinates()]
        : geometry instanceof MultiLineString
          ? geometry.getCoordinates()
          : [];
    const group = groups.get(`${name}|${cls}`);
    if (group) group.lines.push(...lines);
    else groups.set(`${name}|${cls}`, { name, cls, lines: [...lines] });
  }
  return [...groups.values()].flatMap(({ name, cls, lines }) =>
    joinLines(lines).map((line) => new Feature({ geometry: new LineString(line), name, cls })),
  );
}
