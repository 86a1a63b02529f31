/** The service's rules for edits of a plan (`planning/edits`), in memory, to hold two editors against. */

import type { EditsAnswer, PlanServer, SaveAnswer, SaveRequest } from '../interface';
import type { AssignmentAnswer, Operation, Topology } from '../types';

export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(code);
  }
}

interface Grid {
  code: string;
  name: string;
  kind: string;
  level: number;
  parent: string | null;
  community: string;
  locked: boolean;
}

interface Plan {
  grids: Grid[];
  /** By level, then unit: code. */
  owner: Map<number, (string | null)[]>;
}

export interface ReferenceServer {
  /** The server as one person sees it. */
  as(author: string): PlanServer;
  answer(): AssignmentAnswer;
  version(): number;
  owners(level: number): readonly (string | null)[];
  grids(level: number): readonly Grid[];
  /** Requests that came in, and edits stored. */
  calls(): number;
  edits(): EditsAnswer['edits'];
  /** What happens to the next saves: no answer before or after they are stored. */
  fail(how: 'before' | 'after' | null): void;
}

export function referenceServer(topology: Topology, start: AssignmentAnswer): ReferenceServer {
  let plan: Plan = {
    grids: start.levels.flatMap(({ level, grids }) => grids.map((grid) => ({ ...grid, level }))),
    owner: new Map(
      start.levels.map(({ level, owner, grids }) => [
        level,
        owner.map((at) => (at < 0 ? null : grids[at]!.code)),
      ]),
    ),
  };
  let { version } = start;
  let calls = 0;
  let failing: 'before' | 'after' | null = null;
  const edits: EditsAnswer['edits'] = [];
  const answers = new Map<string, SaveAnswer>();

  const save = async (author: string, request: SaveRequest): Promise<SaveAnswer> => {
    calls += 1;
    await Promise.resolve();
    if (failing === 'before') throw new Refused(0, 'network');
    let answer = answers.get(request.key);
    if (!answer) {
      if (!(request.base <= version)) throw new Refused(400, 'base');
      const { made, operations, codes } = applied(
        topology,
        plan,
        structuredClone(request.operations),
        author,
      );
      plan = made;
      version += 1;
      edits.push({
        version,
        at: `2026-01-01T00:00:${String(version).padStart(2, '0')}Z`,
        author,
        operations,
      });
      answer = { version, codes };
      answers.set(request.key, answer);
    }
    if (failing === 'after') throw new Refused(0, 'network');
    return structuredClone(answer);
  };

  return {
    as: (author) => ({
      save: (request) => save(author, request),
      edits: async (after) => {
        if (failing) throw new Refused(0, 'network');
        return structuredClone({ version, edits: edits.filter((edit) => edit.version > after).slice(0, 50) });
      },
      assignment: async () => answerOf(start, plan, version),
    }),
    answer: () => answerOf(start, plan, version),
    version: () => version,
    owners: (level) => plan.owner.get(level) ?? [],
    grids: (level) => plan.grids.filter((grid) => grid.level === level),
    calls: () => calls,
    edits: () => edits,
    fail: (how) => {
      failing = how;
    },
  };
}

function answerOf(start: AssignmentAnswer, plan: Plan, version: number): AssignmentAnswer {
  const levels = start.levels.map(({ level, band }) => {
    const grids = plan.grids
      .filter((grid) => grid.level === level)
      .sort((one, two) => (one.code < two.code ? -1 : 1));
    const place = new Map(grids.map((grid, at) => [grid.code, at]));
    const owner = plan.owner.get(level)!.map((code) => (code === null ? -1 : place.get(code)!));
    return { level, band, grids: grids.map(({ level: _, ...grid }) => ({ ...grid })), owner };
  });
  return { ...start, version, levels };
}

/** The plan after an edit; throws Refused, nothing changed, when something stands against it. */
function applied(
  topology: Topology,
  before: Plan,
  operations: Operation[],
  author: string,
): { made: Plan; operations: Operation[]; codes: Record<string, string> } {
  if (operations.length === 0) throw new Refused(400, 'empty');
  const made: Plan = structuredClone(before);
  const conflicts: unknown[] = [];
  const locked: string[] = [];
  const named = new Set<string>();
  const done: Operation[] = [];
  const find = (level: number, code: string): Grid => {
    const found = made.grids.find((grid) => grid.level === level && grid.code === code);
    if (found) return found;
    throw code.startsWith('new:')
      ? new Refused(400, `${code} not created`)
      : new Refused(409, 'conflicts', { conflicts: [], grids: [code] });
  };
  const guard = (grid: Grid | null): void => {
    if (grid?.locked) locked.push(grid.code);
  };
  for (let at = 0; at < operations.length; at += 1) {
    const op = operations[at]!;
    if (op.op === 'assign') {
      const owner = made.owner.get(op.level)!;
      const to = op.to === null ? null : find(op.level, op.to);
      if (op.units.length === 0 || new Set(op.units).size < op.units.length) throw new Refused(400, 'units');
      guard(to);
      if (op.from !== null)
        guard(made.grids.find((grid) => grid.level === op.level && grid.code === op.from) ?? null);
      for (const unit of op.units) {
        if (to && topology.communities[topology.community[unit]!]!.code !== to.community)
          throw new Refused(400, 'other_community');
        const now = owner[unit]!;
        if (now !== op.from) {
          conflicts.push({
            level: op.level,
            unit,
            yours: { from: op.from, to: op.to },
            theirs: now,
            author,
            at: '',
            version: 0,
          });
        }
        owner[unit] = op.to;
        named.add(`${op.level}:${unit}`);
      }
      done.push(op);
    } else if (op.op === 'create') {
      if (made.grids.some((grid) => grid.level === op.level && grid.code === op.code))
        throw new Refused(409, 'conflicts', { conflicts: [] });
      if ((op.parent === null) !== (op.level === 1)) throw new Refused(400, 'parent');
      made.grids.push({
        code: op.code,
        name: op.name ?? '新网格',
        kind: op.kind,
        level: op.level,
        parent: op.parent,
        community: op.community,
        locked: false,
      });
      done.push(op);
    } else if (op.op === 'remove') {
      const grid = find(op.level, op.grid);
      guard(grid);
      if (made.owner.get(op.level)!.includes(op.grid)) throw new Refused(409, 'not_empty', { conflicts: [] });
      made.grids = made.grids.filter((one) => one !== grid);
      done.push(op);
    } else if (op.op === 'set') {
      const grid = find(op.level, op.grid);
      if (op.name || op.kind) guard(grid);
      for (const key of ['name', 'kind', 'locked'] as const) {
        const change = op[key];
        if (!change) continue;
        if (grid[key] !== change.from)
          throw new Refused(409, 'conflicts', { conflicts: [], grids: [op.grid] });
        Object.assign(grid, { [key]: change.to });
      }
      done.push(op);
    } else {
      const batch: [Grid, string][] = [];
      for (; operations[at]?.op === 'renumber'; at += 1) {
        const one = operations[at] as Extract<Operation, { op: 'renumber' }>;
        const grid = find(one.level, one.grid);
        guard(grid);
        batch.push([grid, one.to]);
        done.push(one);
      }
      at -= 1;
      // all at once: two may swap
      for (const [grid] of batch) recode(made, grid, `moving:${grid.code}`);
      for (const [grid, to] of batch) recode(made, grid, to);
    }
  }
  if (conflicts.length > 0) throw new Refused(409, 'conflicts', { conflicts });
  done.push(...followed(topology, before, made, named));
  for (const grid of [...made.grids].sort((one, two) => two.level - one.level)) {
    if (made.owner.get(grid.level)!.includes(grid.code)) continue;
    if (!before.grids.some((one) => one.level === grid.level && one.code === grid.code))
      throw new Refused(400, `${grid.code} has no units`);
    if (!before.owner.get(grid.level)!.includes(grid.code)) continue;
    guard(grid);
    made.grids = made.grids.filter((one) => one !== grid);
    done.push({ op: 'remove', level: grid.level, grid: grid.code });
  }
  if (locked.length > 0) throw new Refused(409, 'locked', { grids: locked });
  const codes: Record<string, string> = {};
  for (const grid of made.grids.filter(({ code }) => code.startsWith('new:'))) {
    const above = grid.parent ?? grid.community;
    let number = 1;
    let code = '';
    do code = above + String(number++).padStart(grid.level === 1 ? 3 : 2, '0');
    while ([made, before].some((one) => one.grids.some((other) => other.code === code)));
    codes[grid.code] = code;
    recode(made, grid, code);
  }
  return { made, operations: done.map((op) => withCodes(op, codes)), codes };
}

function recode(plan: Plan, grid: Grid, code: string): void {
  const owner = plan.owner.get(grid.level)!;
  const old = grid.code;
  for (let unit = 0; unit < owner.length; unit += 1) if (owner[unit] === old) owner[unit] = code;
  for (const other of plan.grids)
    if (other.parent === old && other.level === grid.level + 1) other.parent = code;
  grid.code = code;
}

/** Units whose deeper grid is outside their new one join the neighbour with the longest border, in rounds. */
function followed(topology: Topology, before: Plan, made: Plan, named: ReadonlySet<string>): Operation[] {
  const out: Operation[] = [];
  const levels = [...made.owner.keys()].sort((one, two) => one - two);
  for (const level of levels.slice(1)) {
    const upper = made.owner.get(level - 1)!;
    const owner = made.owner.get(level)!;
    const was = [...owner];
    const parent = new Map(
      made.grids.filter((grid) => grid.level === level).map((grid) => [grid.code, grid.parent]),
    );
    const loose = new Set<number>();
    for (let unit = 0; unit < owner.length; unit += 1) {
      if (upper[unit] === before.owner.get(level - 1)![unit] || named.has(`${level}:${unit}`)) continue;
      if (owner[unit] === null || parent.get(owner[unit]!) !== upper[unit]) loose.add(unit);
    }
    for (const unit of loose) owner[unit] = null;
    for (;;) {
      const found = new Map<number, string>();
      for (const unit of loose) {
        const metres = new Map<string, number>();
        for (let arc = 0; arc < topology.arcLeft.length; arc += 1) {
          const [l, r] = [topology.arcLeft[arc]!, topology.arcRight[arc]!];
          const other = l === unit ? r : r === unit ? l : -1;
          const code = other < 0 ? null : owner[other]!;
          if (code !== null && parent.get(code) === upper[unit])
            metres.set(code, (metres.get(code) ?? 0) + topology.metres[arc]!);
        }
        const [best] = [...metres].sort((one, two) => two[1] - one[1] || (one[0] < two[0] ? -1 : 1));
        if (best) found.set(unit, best[0]);
      }
      if (found.size === 0) break;
      for (const [unit, code] of found) {
        owner[unit] = code;
        loose.delete(unit);
      }
    }
    for (let unit = 0; unit < owner.length; unit += 1) {
      if (owner[unit] !== was[unit])
        out.push({ op: 'assign', level, from: was[unit]!, to: owner[unit]!, units: [unit] });
      if (owner[unit] !== null && parent.get(owner[unit]!) !== upper[unit])
        throw new Refused(400, 'misplaced');
    }
  }
  return out;
}

function withCodes(op: Operation, codes: Readonly<Record<string, string>>): Operation {
  const of = <T extends string | null>(code: T): T => (code === null ? code : ((codes[code] ?? code) as T));
  if (op.op === 'assign') return { ...op, from: of(op.from), to: of(op.to) };
  if (op.op === 'create')
    return { ...op, code: of(op.code), parent: of(op.parent), name: op.name ?? '新网格' };
  if (op.op === 'set') return { ...op, grid: of(op.grid) };
  return op;
}
