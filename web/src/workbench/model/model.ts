/** Makes the model of a plan from what the service answers, and puts its parts together. */

import * as act from './actions';
import { tryDrag } from './dragging';
import type { Outcome, PlanModel, StepKind, XY } from './interface';
import * as outlines from './outlines';
import { placesOf } from './places';
import { problemsOf, unitsOfCompound } from './problems';
import { lineOfArc, ringsOfWalk } from './rings';
import { trySplit } from './splitting';
import {
  addGrid,
  addLevel,
  bandOf,
  beyond,
  codeKey,
  figuresOf,
  freeUnits,
  levelOf,
  moveUnit,
  newState,
  setSaved,
  SUMS,
  unitsOf,
  type State,
} from './state';
import { newScratch, preview } from './trial';
import type { AssignmentAnswer, Topology, UnitCounts } from './types';
import { endEmptied, newTxn, remember, replayBack, stepInfo, tell, travel, type Work } from './work';

/** The service's answers do not fit each other. */
export class PlanError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PlanError';
  }
}

export interface CountsAnswer {
  components: readonly number[];
  reports_per_month: readonly number[];
}

const COLOURS = 12;
const works = new WeakMap<PlanModel, Work>();

/** What a model works with; for saving. */
export function workOf(model: PlanModel): Work {
  const work = works.get(model);
  if (!work) throw new PlanError('this model was not made by createPlanModel');
  return work;
}

function countsOf(n: number, counts: UnitCounts | CountsAnswer | undefined): UnitCounts {
  if (!counts) return { components: new Int32Array(n), reportsPerMonth: new Float32Array(n) };
  const reports = 'reportsPerMonth' in counts ? counts.reportsPerMonth : counts.reports_per_month;
  if (counts.components.length !== n || reports.length !== n) {
    throw new PlanError(`counts are of ${counts.components.length} units and there are ${n}`);
  }
  return { components: Int32Array.from(counts.components), reportsPerMonth: Float32Array.from(reports) };
}

/** Grids and owners of an answer, entered in a fresh state as they are saved. */
function fill(state: State, answer: AssignmentAnswer): void {
  const n = state.topology.unitIds.length;
  for (const told of [...answer.levels].sort((one, two) => one.level - two.level)) {
    const level = addLevel(state, told.level, told.band ?? (told.level === 1 ? answer.band : null));
    if (told.owner.length !== n) {
      throw new PlanError(`level ${told.level} has owners of ${told.owner.length} units and there are ${n}`);
    }
    const first = state.grids.length;
    for (const grid of told.grids) {
      const { code, name, kind, parent, community, locked } = grid;
      addGrid(
        state,
        { code, name, kind, parent, community, locked, level: told.level, alive: true },
        { code, name, kind, locked },
      );
    }
    for (let unit = 0; unit < n; unit += 1) {
      const at = told.owner[unit]!;
      if (!Number.isInteger(at) || at < -1 || at >= told.grids.length) {
        throw new PlanError(`unit ${unit} of level ${told.level} belongs to grid ${at}, which is not there`);
      }
      if (at < 0) continue;
      setSaved(level, unit, first + at);
      moveUnit(state, level, unit, first + at);
    }
  }
  if (state.levels.length === 0) addLevel(state, 1, answer.band);
  // compounds are judged once at the beginning, all of them
  for (let compound = 0; compound < state.topology.compounds.length; compound += 1)
    state.compounds.add(compound);
}

export function createPlanModel(
  topology: Topology,
  answer: AssignmentAnswer,
  counts?: UnitCounts | CountsAnswer,
): PlanModel {
  if (answer.unit_set !== topology.unitSet) {
    throw new PlanError(`the plan is of unit set ${answer.unit_set} and the topology of ${topology.unitSet}`);
  }
  const n = topology.unitIds.length;
  const state = newState(topology, countsOf(n, counts));
  fill(state, answer);
  const ringsOfUnit = (unit: number): ReturnType<typeof ringsOfWalk> =>
    ringsOfWalk(
      topology,
      outlines.walkAround(state, [unit], () => false),
    );
  const work: Work = {
    state,
    scratch: newScratch(n),
    places: placesOf(topology, state.borders, ringsOfUnit),
    plan: {
      id: answer.plan,
      name: answer.name,
      area: answer.area,
      unitSet: answer.unit_set,
      status: answer.status,
    },
    version: answer.version,
    open: null,
    steps: [],
    cursor: 0,
    nextStep: 1,
    listeners: new Set(),
    now: () => Date.now(),
  };
  const model = assembled(work, ringsOfUnit);
  works.set(model, work);
  return model;
}

function assembled(work: Work, ringsOfUnit: PlanModel['ringsOfUnit']): PlanModel {
  const { state } = work;
  const { topology } = state;
  const lines = outlines.outlinesOf(state);
  const problems = problemsOf(work);
  let unitNumbers: Map<string, number> | null = null;
  return {
    ...work.places,
    topology,
    borders: state.borders,
    counts: state.counts,
    plan: work.plan,
    levels: state.levels,
    grids: state.grids,
    unitCount: topology.unitIds.length,
    arcCount: topology.arcLeft.length,
    get revision() {
      return state.revision;
    },

    owners: (level) => levelOf(state, level).owner,
    ownerOf: (unit, level = 1) => levelOf(state, level).owner[unit] ?? -1,
    gridsOf: (level) => gridsOf(state, level),
    unitsOf: (grid) => unitsOf(state, grid),
    unassigned: (level = 1) => Int32Array.from(freeUnits(levelOf(state, level))),
    gridByCode: (code, level) => gridByCode(state, code, level),
    unitById: (id) => {
      unitNumbers ??= new Map(topology.unitIds.map((name, unit) => [name, unit]));
      return unitNumbers.get(id) ?? -1;
    },
    neighboursOf: (grid) => outlines.neighboursOf(state, grid),
    unitsOfCompound: (unit) => unitsOfCompound(state, unit),
    colourOf: colouring(state),

    figures: (grid) => figuresOf(state.sums, grid * SUMS),
    bandOf: (grid) => bandOf(state, grid),
    beyond: (grid) => beyond(state, grid),
    summary: (level = 1) => problems.summary(level),
    preview: (units, to, level = 1) =>
      preview(state, work.scratch, { level, units, to: units.map(() => to ?? -1) }),
    previewMoves: (moves) => preview(state, work.scratch, moves),

    ringsOf: lines.ringsOf,
    polygonsOf: lines.polygonsOf,
    ringsAround: (units) => outlines.ringsAround(work, units),
    ringsOfUnit,
    borderArcs: (level) => outlines.borderArcs(state, level),
    sharedArcs: (a, b) => outlines.sharedArcs(state, a, b),
    innerArcs: (grid) => outlines.innerArcs(state, grid),
    lineOfArc: (arc) => lineOfArc(topology, arc),
    sharedBorder: (a, b) => outlines.sharedBorder(state, a, b),
    borderAt: (x, y, radius, level = 1) => outlines.borderAt(work, x, y, radius, levelOf(state, level)),

    assign: (units, grid, level = 1) => act.assign(work, units, grid, level),
    apply: (moves, kind = 'assign') => act.apply(work, moves, kind),
    createGrid: (birth, units = []) => act.createGrid(work, birth, units),
    removeGrid: (grid) => act.removeGrid(work, grid),
    merge: (a, b) => act.merge(work, a, b),
    trySplit: (grid, line) => trySplit(work, grid, line),
    split: (grid, line) => split(work, grid, line),
    tryDrag: (a, b, from, to) => tryDrag(work, a, b, from, to),
    dragBorder: (a, b, from, to) => drag(work, a, b, from, to),
    renumber: (grid, code) => act.renumber(work, grid, code),
    setKind: (grid, kind) => act.setText(work, grid, 'kind', kind),
    setName: (grid, name) => act.setText(work, grid, 'name', name),
    setLocked: (grid, locked) => act.setLocked(work, [grid], locked),
    setAllLocked: (level, locked) => act.setLocked(work, gridsOf(state, level), locked),
    applyOperations: (operations, kind = 'fix') => act.applyOperations(work, operations, kind),

    ...historyOf(work),
    get canUndo() {
      return work.cursor > 0 || work.open !== null;
    },
    get canRedo() {
      return work.cursor < work.steps.length && work.open === null;
    },
    problems: (level = 1) => problems.of(level),
    on: (listener) => {
      work.listeners.add(listener);
      return () => work.listeners.delete(listener);
    },
  };
}

function historyOf(work: Work): Pick<PlanModel, 'begin' | 'commit' | 'cancel' | 'undo' | 'redo' | 'steps'> {
  const commit = (): void => {
    const txn = work.open;
    if (!txn) return;
    work.open = null;
    endEmptied(work, txn);
    remember(work, txn);
    // the stroke as a whole: what keeps or saves work waits for it
    tell(work, txn, 'action');
  };
  return {
    begin: (kind: StepKind) => {
      commit();
      work.open = newTxn(kind);
    },
    commit,
    cancel: () => {
      const txn = work.open;
      if (!txn) return;
      work.open = null;
      tell(work, replayBack(work, txn), 'cancel');
    },
    undo: () => {
      commit();
      return travel(work, true);
    },
    redo: () => {
      commit();
      return travel(work, false);
    },
    steps: () => work.steps.map((step, at) => stepInfo(step, at < work.cursor)),
  };
}

function split(work: Work, grid: number, line: readonly XY[]): Outcome {
  const trial = trySplit(work, grid, line);
  return trial.ok ? act.divide(work, grid, trial.left, trial.right) : act.refuse(trial.reason ?? 'line');
}

function drag(work: Work, a: number, b: number, from: XY, to: XY): Outcome {
  const trial = tryDrag(work, a, b, from, to);
  if (!trial.ok) return act.refuse(trial.reason ?? 'nothing');
  const outcome = act.apply(work, trial.moves, 'border');
  if (outcome.ok) outcome.skipped.trimmed = trial.preview.skipped.trimmed;
  return outcome;
}

function gridsOf(state: State, level: number): number[] {
  const out: number[] = [];
  for (let grid = 0; grid < state.grids.length; grid += 1) {
    if (state.grids[grid]!.alive && state.grids[grid]!.level === level) out.push(grid);
  }
  const code = (grid: number): string => state.grids[grid]!.code;
  return out.sort((one, two) => (code(one) < code(two) ? -1 : 1));
}

function gridByCode(state: State, code: string, level?: number): number {
  for (const one of state.levels) {
    if (level !== undefined && one.level !== level) continue;
    const found = state.byCode.get(codeKey(one.level, code));
    if (found !== undefined && state.grids[found]!.alive) return found;
  }
  return -1;
}

/** A colour for each grid when first asked, kept: the one used least by its neighbours, then by all. */
function colouring(state: State): (grid: number) => number {
  const colours: number[] = [];
  const used = new Array<number>(COLOURS).fill(0);
  return (grid) => {
    const known = colours[grid];
    if (known !== undefined) return known;
    const near = new Array<number>(COLOURS).fill(0);
    for (const other of outlines.neighboursOf(state, grid)) {
      const theirs = colours[other.grid];
      if (theirs !== undefined) near[theirs]! += 1;
    }
    let best = 0;
    for (let colour = 1; colour < COLOURS; colour += 1) {
      if (near[colour]! < near[best]! || (near[colour] === near[best] && used[colour]! < used[best]!))
        best = colour;
    }
    // a grid without units is coloured anew once it has some
    if (state.sums[grid * SUMS]! > 0) {
      colours[grid] = best;
      used[best]! += 1;
    }
    return best;
  };
}
