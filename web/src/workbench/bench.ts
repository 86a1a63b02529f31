/** Putting model, canvas and map together: what tools and panels work with. */
import MouseWheelZoom from 'ol/interaction/MouseWheelZoom';
import ScaleLine from 'ol/control/ScaleLine';
import OlMap from 'ol/Map';
import View from 'ol/View';
import { number } from '../core/format';
import { createStore } from '../core/store';
import { t } from '../i18n';
import { report, toast } from '../ui/toasts';
import { session } from '../ui/who';
import { addGround, type Ground } from './canvas/ground';
import { createPlanLayer, type PlanLayer } from './canvas/layer';
import { FIRST_LOOK, type Scene, sceneOf } from './canvas/scene';
import { boxOfUnits } from './canvas/shape';
import type { ModelChange, Outcome, PlanModel, Sync } from './model';
import { kindName, longName, shortName } from './names';
import { openNewGrid } from './panels/gridDialog';
import { stepName } from './panels/history';
import { type Bench, HARMLESS, type UiState } from './tools/types';

const ROOM: [number, number, number, number] = [36, 36, 48, 104];
const calm = window.matchMedia('(prefers-reduced-motion: reduce)');

function createView(scene: Scene): View {
  const [ox, oy] = scene.shape.origin;
  const [x0, y0, x1, y1] = scene.shape.box;
  const room = Math.max(x1 - x0, y1 - y0);
  return new View({
    projection: 'EPSG:3857',
    center: [ox + (x0 + x1) / 2, oy + (y0 + y1) / 2],
    zoom: 14,
    minZoom: 8,
    maxZoom: 20.5,
    extent: [ox + x0 - room, oy + y0 - room, ox + x1 + room, oy + y1 + room],
    constrainOnlyCenter: true,
    enableRotation: false,
    smoothExtentConstraint: false,
  });
}

/** Paint what a change touched, and nothing else. */
function follow(bench: Bench, scene: Scene, canvas: PlanLayer): (change?: ModelChange) => void {
  const { model, ui } = bench;
  let looks: string[] = [];
  const lookOf = (grid: number): string =>
    `${scene.fill(grid)}${model.grids[grid]?.locked ? '#' : ''}${model.grids[grid]?.alive ? '' : '†'}`;
  const note = (): void => {
    looks = model.grids.map((_, grid) => lookOf(grid));
  };
  note();
  return (change) => {
    if (!change) {
      scene.changed();
      note();
      canvas.dirty();
      canvas.relabel();
      return;
    }
    if (change.cause === 'saved' && !change.structure && change.units.size === 0) return;
    const level = bench.level();
    const grids = change.grids.filter((grid) => model.grids[grid]?.level === level);
    const recoloured = scene.changed(grids);
    const units = change.units.get(level) ?? [];
    if (units.length > 0) canvas.dirtyUnits(units);
    for (const grid of new Set([...grids, ...recoloured])) {
      const now = lookOf(grid);
      if (now === looks[grid]) continue;
      looks[grid] = now;
      const box = scene.outlines.box(grid);
      if (box) canvas.dirty(box);
    }
    canvas.relabel();
    ui.set({ revision: model.revision });
  };
}

export interface Made {
  bench: Bench;
  home: (animate?: boolean) => void;
  ground: Ground;
}

/** `host` holds the map, `live` is read out to people who do not see it. */
export function createBench(model: PlanModel, sync: Sync, host: HTMLElement, live: HTMLElement): Made {
  const ui = createStore<UiState>({
    tool: 'paint',
    brush: 0,
    current: -1,
    hovered: -1,
    cursor: -1,
    level: model.levels[0]?.level ?? 1,
    panel: 'grids',
    panelOpen: true,
    look: FIRST_LOOK,
    revision: model.revision,
    trial: null,
  });
  const level = (): number => ui.get().level;
  const scene = sceneOf(
    model.topology,
    {
      owner: () => model.owners(level()),
      grids: () => model.grids,
      households: (grid) => model.figures(grid).households,
      bandOf: (grid) => model.bandOf(grid),
      unitAt: (x, y) => model.unitAt(x, y),
    },
    (grid) => ({
      name: shortName(model, grid),
      figure: figureOf(grid),
    }),
  );
  // a school has no households to speak of: what it is says more
  const figureOf = (grid: number): string => {
    const { households } = model.figures(grid);
    if (households === 0 && model.bandOf(grid) === null) return kindName(model, grid);
    return t('workbench.householdsOf', { count: number(households) });
  };
  let ground: Ground | null = null;
  const canvas = createPlanLayer({
    scene,
    ground: () => ground,
    chosen: () => ui.get().current,
    isOut: (grid) => model.bandOf(grid) !== null && model.beyond(grid) !== 0,
    onLevel: (grid) => model.grids[grid]?.level === level(),
  });
  const view = createView(scene);
  const map = new OlMap({
    target: host,
    view,
    layers: [canvas.layer],
    interactions: [new MouseWheelZoom({ duration: 160 })],
    controls: [new ScaleLine({ minWidth: 70 })],
  });
  ground = addGround(
    map,
    () => ui.get().look,
    () => canvas.dirty(),
    report,
  );

  const duration = (): number => (calm.matches ? 0 : 260);
  const fit = (box: readonly number[] | null, maxZoom: number): void => {
    if (!box) return;
    const [ox, oy] = scene.shape.origin;
    view.fit([box[0]! + ox, box[1]! + oy, box[2]! + ox, box[3]! + oy], {
      padding: ROOM,
      duration: duration(),
      maxZoom,
    });
  };

  let said = '';
  const say = (text: string): void => {
    // the same words twice are read twice
    live.textContent = text === said ? `${text}\u00a0` : text;
    said = live.textContent;
  };
  const hint = (text: string): void => {
    toast(text, 'done');
    say(text);
  };

  const told = (undone: boolean): void => {
    const steps = model.steps();
    const at = undone ? steps.find((step) => !step.done) : steps.findLast((step) => step.done);
    if (at) say(t(undone ? 'workbench.undone' : 'workbench.redone', { step: stepName(at) }));
  };

  const bench: Bench = {
    model,
    sync,
    scene,
    map,
    canvas,
    ui,
    editable() {
      if (model.plan.status !== 'draft') hint(t('workbench.no.published'));
      else if (!session.get().me.planner) hint(t('workbench.no.readOnly'));
      else return true;
      return false;
    },
    level,
    shortName: (grid) => shortName(model, grid),
    longName: (grid) => longName(model, grid),
    did(outcome: Outcome) {
      const { locked, community, parent } = outcome.skipped;
      if (!outcome.ok) {
        if (outcome.reason !== 'nothing') hint(t(`workbench.no.${outcome.reason}`));
        return false;
      }
      if (locked > 0) hint(t('workbench.skippedLocked', { count: locked }));
      else if (community > 0) hint(t('workbench.skippedCommunity', { count: community }));
      else if (parent > 0) hint(t('workbench.skippedParent', { count: parent }));
      return true;
    },
    undo() {
      if (!model.undo()) hint(t('workbench.nothingToUndo'));
      else told(true);
    },
    redo() {
      if (!model.redo()) hint(t('workbench.nothingToRedo'));
      else told(false);
    },
    showUnits: (units) => fit(boxOfUnits(scene.shape, units), 18),
    showGrid: (grid) => {
      if (grid >= 0) fit(scene.outlines.box(grid), 17.5);
    },
    say,
    hint,
    take(tool) {
      if (!HARMLESS.has(tool) && !bench.editable()) return;
      if (tool === 'special') openNewGrid(bench);
      else ui.set({ tool });
    },
  };

  const changed = follow(bench, scene, canvas);
  model.on(changed);
  ui.on(['level'], () => changed());
  ui.on(['look'], ({ look }) => {
    scene.look = look;
    changed();
    ground?.refresh();
  });
  ui.on(['current'], () => {
    canvas.relabel();
    canvas.redraw();
  });
  const home = (animate = true): void =>
    view.fit(
      [
        scene.shape.box[0] + scene.shape.origin[0],
        scene.shape.box[1] + scene.shape.origin[1],
        scene.shape.box[2] + scene.shape.origin[0],
        scene.shape.box[3] + scene.shape.origin[1],
      ],
      { padding: ROOM, duration: animate ? duration() : 0 },
    );
  return { bench, home, ground };
}
