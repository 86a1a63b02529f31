/** What is wrong with the plan, by kind: click shows the very piece, "fix it" asks the engine. */
import { h, icon, renew } from '../../core/dom';
import { number } from '../../core/format';
import { onLang, t } from '../../i18n';
import type { Problem, ProblemKind } from '../model';
import type { Bench } from '../tools/types';

const ORDER: readonly ProblemKind[] = [
  'unassigned',
  'broken',
  'out_of_band',
  'enclave',
  'split_compound',
  'crosses_barrier',
];
/** Problems of a kind listed before "more" is pressed. */
const SHOWN = 12;
/** Kinds the engine has a remedy for. */
const REMEDY: Partial<Record<ProblemKind, string>> = {
  out_of_band: 'rebalance',
  broken: 'reconnect',
  enclave: 'absorb_enclave',
  split_compound: 'rejoin_compound',
  unassigned: 'assign_neighbour',
};

export const remedyOf = (kind: ProblemKind): string | undefined => REMEDY[kind];

export interface Problems {
  element: HTMLElement;
  count: () => number;
  onCount: (listener: (count: number) => void) => void;
}

export function sentence(bench: Bench, { kind, grids, units, amount, compound }: Problem): string {
  const { model } = bench;
  const first = grids[0] ?? -1;
  const grid = first >= 0 ? bench.longName(first) : '';
  const count = number(Math.round(Math.abs(amount)));
  switch (kind) {
    case 'out_of_band': {
      const low = first >= 0 && model.beyond(first) < 0;
      return t(low ? 'workbench.say.low' : 'workbench.say.high', { grid, count });
    }
    case 'broken':
      return t('workbench.say.broken', { grid, count });
    case 'enclave':
      return t('workbench.say.enclave', { grid });
    case 'split_compound':
      return t('workbench.say.split_compound', { compound: compound ?? '', count: number(grids.length) });
    case 'crosses_barrier':
      return t('workbench.say.crosses_barrier', { grid, count });
    case 'unassigned': {
      let households = 0;
      for (const unit of units) households += model.topology.households[unit]!;
      return households > 0
        ? t('workbench.say.unassigned', { count: number(households) })
        : t('workbench.say.unassignedUnits', { count: number(units.length) });
    }
  }
}

export function createProblems(bench: Bench, fix: (problem: Problem) => void): Problems {
  const { model, ui } = bench;
  const element = h('div', { class: 'problems' });
  const listeners: ((count: number) => void)[] = [];
  const open = new Set<ProblemKind>();
  const all = new Set<ProblemKind>();
  let listed: readonly Problem[] = [];

  function item(problem: Problem, at: number): HTMLElement {
    const text = sentence(bench, problem);
    const show = (): void => {
      const [grid] = problem.grids;
      if (grid !== undefined && grid >= 0) ui.set({ current: grid });
      if (problem.units.length > 0) bench.showUnits(problem.units);
      else if (grid !== undefined) bench.showGrid(grid);
    };
    return h(
      'li',
      { class: 'problem' },
      h('button', {
        type: 'button',
        class: 'problem-where',
        id: `problem-${problem.kind}-${at}`,
        text,
        on: { click: show },
      }),
      remedyOf(problem.kind) &&
        h('button', {
          type: 'button',
          class: 'text-button',
          'aria-label': `${t('workbench.fix')}: ${text}`,
          text: t('workbench.fix'),
          on: { click: () => fix(problem) },
        }),
    );
  }

  function group(kind: ProblemKind, problems: readonly Problem[]): HTMLElement {
    const shown = all.has(kind) ? problems : problems.slice(0, SHOWN);
    const details = h(
      'details',
      { class: 'problem-group', open: open.has(kind) },
      h(
        'summary',
        {},
        icon('warn'),
        h('span', { text: t(`workbench.problem.${kind}`) }),
        h('span', { class: 'count', text: number(problems.length) }),
      ),
      h('ul', {}, ...shown.map(item)),
      shown.length < problems.length &&
        h('button', {
          type: 'button',
          class: 'text-button',
          text: t('workbench.more.problems', { count: number(problems.length - shown.length) }),
          on: {
            click: () => {
              all.add(kind);
              draw();
            },
          },
        }),
    );
    details.addEventListener('toggle', () => {
      if (details.open) open.add(kind);
      else open.delete(kind);
    });
    return details;
  }

  function draw(): void {
    const held = document.activeElement?.id ?? '';
    const groups = ORDER.map(
      (kind) => [kind, listed.filter((problem) => problem.kind === kind)] as const,
    ).filter(([, problems]) => problems.length > 0);
    if (open.size === 0 && groups[0]) open.add(groups[0][0]);
    renew(
      element,
      ...(groups.length > 0
        ? groups.map(([kind, problems]) => group(kind, problems))
        : [h('p', { class: 'pad good-news' }, icon('check'), t('workbench.problems.none'))]),
    );
    if (held.startsWith('problem-')) document.getElementById(held)?.focus({ preventScroll: true });
  }

  function look(): void {
    listed = model.problems(bench.level());
    const flagged = new Set<number>();
    for (const problem of listed) {
      if (problem.kind !== 'broken' && problem.kind !== 'enclave') continue;
      for (const unit of problem.units) flagged.add(unit);
    }
    const before = bench.scene.flagged;
    const same = before.size === flagged.size && [...flagged].every((unit) => before.has(unit));
    if (!same) {
      bench.scene.flagged = flagged;
      bench.canvas.dirtyUnits([...before, ...flagged]);
    }
    for (const listener of listeners) listener(listed.length);
    if (ui.get().panel === 'problems') draw();
  }

  let waiting = 0;
  ui.on(['revision', 'level'], () => {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(look, 120);
  });
  ui.on(['panel'], draw);
  onLang(draw);
  waiting = window.setTimeout(look, 50);
  return { element, count: () => listed.length, onCount: (listener) => listeners.push(listener) };
}
