/** What the engine proposes against a problem: shown on the map first, taken or left. */
import { address, sendJson, ServiceError } from '../../core/client';
import { h, renew } from '../../core/dom';
import { number } from '../../core/format';
import { onLang, t } from '../../i18n';
import { explain, toast } from '../../ui/toasts';
import { pathOfUnits } from '../canvas/outlines';
import type { Overlay } from '../canvas/layer';
import { levelAt } from '../canvas/shape';
import type { Moves, Operation, Problem } from '../model';
import { remedyOf } from './problems';
import { bandBar, stateOf, verdict } from './figures';
import type { Bench } from '../tools/types';

interface Fix {
  operations: Operation[];
}

export interface Proposals {
  element: HTMLElement;
  overlay: Overlay;
  ask: (problem: Problem) => Promise<void>;
  /** True when there was one to put away. */
  leave: () => boolean;
}

export function createProposals(bench: Bench): Proposals {
  const { model, sync, ui } = bench;
  const element = h('section', {
    class: 'proposal over-map',
    role: 'region',
    'aria-live': 'polite',
    hidden: true,
  });
  let shown: { operations: Operation[]; moves: Moves } | null = null;

  /** Units and where they go, of the operations that move units. */
  function movesOf(operations: readonly Operation[], level: number): Moves {
    const units: number[] = [];
    const to: number[] = [];
    for (const operation of operations) {
      if (operation.op !== 'assign' || operation.level !== level) continue;
      const grid = operation.to === null ? -1 : model.gridByCode(operation.to, level);
      for (const unit of operation.units) {
        units.push(unit);
        to.push(grid);
      }
    }
    return { level, units, to };
  }

  function leave(): boolean {
    if (!shown && element.hidden) return false;
    shown = null;
    element.hidden = true;
    ui.set({ trial: null });
    bench.canvas.redraw();
    return true;
  }

  function take(): void {
    const taken = shown;
    leave();
    if (taken && bench.editable()) bench.did(model.applyOperations(taken.operations, 'fix'));
  }

  function draw(): void {
    if (!shown) return;
    const preview = model.previewMoves(shown.moves);
    ui.set({ trial: preview });
    element.setAttribute('aria-label', t('workbench.fix.title'));
    renew(
      element,
      h('h2', { text: t('workbench.fix.title') }),
      h('p', { class: 'muted', text: t('workbench.fix.moves', { count: number(shown.moves.units.length) }) }),
      h(
        'ul',
        {},
        ...preview.grids
          .filter(({ grid, before, after }) => grid >= 0 && before.units !== after.units)
          .slice(0, 5)
          .map(({ grid, before, after }) => {
            const band = model.bandOf(grid);
            return h(
              'li',
              {},
              h('span', { class: 'now-label', text: bench.longName(grid) }),
              h(
                'span',
                { class: 'proposal-count' },
                h('s', { class: 'was', text: number(before.households) }),
                h('strong', { text: number(after.households) }),
              ),
              h('span', {
                class: `verdict ${stateOf(after.households, band)}`,
                text: verdict(after.households, band),
              }),
              band && bandBar(after.households, band, before.households),
            );
          }),
      ),
      h(
        'footer',
        { class: 'proposal-foot' },
        h('button', {
          type: 'button',
          class: 'button button-plain',
          text: t('workbench.fix.leave'),
          on: { click: leave },
        }),
        h('button', {
          type: 'button',
          id: 'proposal-take',
          class: 'button',
          text: t('workbench.fix.take'),
          on: { click: take },
        }),
      ),
    );
    element.hidden = false;
  }

  async function ask(problem: Problem): Promise<void> {
    const kind = remedyOf(problem.kind);
    if (!kind || !bench.editable()) return;
    leave();
    element.hidden = false;
    renew(
      element,
      h(
        'p',
        { class: 'proposal-wait' },
        h('span', { class: 'spinner spinner-small' }),
        t('workbench.fixing'),
      ),
    );
    const level = bench.level();
    try {
      // what is not saved yet has no codes the service knows: save first, send the rest along
      const state = await sync.save();
      const operations = state.pending > 0 ? sync.pending() : [];
      const answer = await sendJson<Fix>('POST', address(`plans/${model.plan.id}/fix`), {
        kind,
        level,
        grids: problem.grids.filter((grid) => grid >= 0).map((grid) => model.grids[grid]!.code),
        units: [...problem.units],
        ...(operations.length > 0 ? { operations } : {}),
      });
      shown = { operations: answer.operations, moves: movesOf(answer.operations, level) };
      bench.showUnits(shown.moves.units.length > 0 ? shown.moves.units : problem.units);
      draw();
      document.getElementById('proposal-take')?.focus({ preventScroll: true });
      bench.canvas.redraw();
    } catch (error) {
      leave();
      const refused = error instanceof ServiceError && error.status === 409;
      toast(
        refused ? t('workbench.fix.noBetter', { message: error.message }) : explain(error),
        refused ? 'done' : 'error',
      );
    }
  }

  onLang(draw);
  return {
    element,
    ask,
    leave,
    overlay(context, resolution) {
      if (!shown) return;
      const byGrid = new Map<number, Set<number>>();
      shown.moves.units.forEach((unit, at) => {
        const grid = shown!.moves.to[at]!;
        const held = byGrid.get(grid);
        if (held) held.add(unit);
        else byGrid.set(grid, new Set([unit]));
      });
      for (const [grid, units] of byGrid) {
        const path = pathOfUnits(bench.scene.shape, units, levelAt(resolution));
        context.globalAlpha = 0.85;
        context.fillStyle = grid >= 0 ? bench.scene.fill(grid) : '#ffffff';
        context.fill(path, 'evenodd');
        context.globalAlpha = 1;
        context.lineWidth = 2.6 * resolution;
        context.setLineDash([7 * resolution, 4 * resolution]);
        context.strokeStyle = '#b3181c';
        context.stroke(path);
        context.setLineDash([]);
      }
    },
  };
}
