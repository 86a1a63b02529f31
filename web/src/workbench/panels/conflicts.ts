/** Units two people gave to different grids: whose, where, and which of both is to hold. Beside the map, not over it. */
import { h, iconButton, renew } from '../../core/dom';
import { lang, onLang, t } from '../../i18n';
import { toast } from '../../ui/toasts';
import type { Conflict } from '../model';
import type { Bench } from '../tools/types';

export interface Conflicts {
  element: HTMLElement;
  open: () => void;
}

const timeOf = (iso: string): string =>
  new Intl.DateTimeFormat(lang() === 'zh' ? 'zh-CN' : 'en-GB', { hour: '2-digit', minute: '2-digit' }).format(
    new Date(iso),
  );

export function createConflicts(bench: Bench): Conflicts {
  const { model, sync } = bench;
  const element = h('section', {
    class: 'conflicts over-map',
    role: 'dialog',
    'aria-labelledby': 'conflicts-title',
    tabindex: '-1',
    hidden: true,
  });

  const gridName = (code: string | null, level: number): string => {
    const grid = code === null ? -1 : model.gridByCode(code, level);
    return grid < 0 ? t('workbench.noGrid') : bench.longName(grid);
  };

  function row(conflict: Conflict, at: number): HTMLElement {
    const { level, unit, yours, theirs, locked } = conflict;
    const settle = (choice: 'mine' | 'theirs') => (): void => sync.resolve([{ level, unit }], choice);
    const unitName = t('workbench.conflicts.unit', { unit: model.topology.unitIds[unit] ?? unit });
    return h(
      'li',
      { class: 'conflict' },
      h(
        'button',
        {
          type: 'button',
          class: 'conflict-where',
          id: `conflict-${at}`,
          on: { click: () => bench.showUnits([unit]) },
        },
        h('strong', { text: unitName }),
        h('span', {
          class: 'muted',
          text: t('workbench.householdsOf', { count: model.topology.households[unit] ?? 0 }),
        }),
        h('span', { text: t('workbench.conflicts.theirGrid', { grid: gridName(theirs, level) }) }),
        h('span', { text: t('workbench.conflicts.myGrid', { grid: gridName(yours.to, level) }) }),
        locked && h('span', { class: 'muted', text: t('workbench.conflicts.locked') }),
      ),
      h(
        'span',
        { class: 'conflict-choice' },
        h('button', {
          type: 'button',
          class: 'button button-plain',
          'aria-label': `${t('workbench.conflicts.theirs')}: ${unitName}`,
          text: t('workbench.conflicts.theirs'),
          on: { click: settle('theirs') },
        }),
        h('button', {
          type: 'button',
          class: 'button button-plain',
          'aria-label': `${t('workbench.conflicts.mine')}: ${unitName}`,
          text: t('workbench.conflicts.mine'),
          disabled: locked,
          on: { click: settle('mine') },
        }),
      ),
    );
  }

  function draw(): void {
    const { conflicts } = sync;
    const held = document.activeElement?.id ?? '';
    if (conflicts.length === 0) {
      if (!element.hidden) {
        element.hidden = true;
        toast(t('workbench.conflicts.done'), 'done');
      }
      return;
    }
    const byAuthor = new Map<string, Conflict[]>();
    for (const conflict of conflicts) {
      const who = t('workbench.conflicts.who', {
        name: conflict.author || t('workbench.someone'),
        time: timeOf(conflict.at),
      });
      byAuthor.set(who, [...(byAuthor.get(who) ?? []), conflict]);
    }
    renew(
      element,
      h(
        'header',
        { class: 'conflicts-head' },
        h('h2', { id: 'conflicts-title', text: t('workbench.conflicts.title') }),
        iconButton('close', t('frame.close'), () => {
          element.hidden = true;
        }),
      ),
      h('p', { class: 'muted', text: t('workbench.conflicts.hint') }),
      ...[...byAuthor].flatMap(([who, theirs]) => [
        h('h3', { text: who }),
        h('ul', {}, ...theirs.map((conflict) => row(conflict, conflicts.indexOf(conflict)))),
      ]),
      h(
        'footer',
        { class: 'conflicts-foot' },
        h('button', {
          type: 'button',
          class: 'button button-plain',
          text: t('workbench.conflicts.allTheirs'),
          on: { click: () => sync.resolve('all', 'theirs') },
        }),
        h('button', {
          type: 'button',
          class: 'button',
          disabled: conflicts.every(({ locked }) => locked),
          text: t('workbench.conflicts.allMine'),
          on: { click: () => sync.resolve('all', 'mine') },
        }),
      ),
    );
    if (held.startsWith('conflict-')) document.getElementById(held)?.focus();
  }

  function open(): void {
    element.hidden = false;
    draw();
    element.focus({ preventScroll: true });
  }

  element.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') element.hidden = true;
  });
  let before = 0;
  sync.onConflicts((conflicts) => {
    const more = conflicts.length > before;
    before = conflicts.length;
    if (more) {
      open();
      bench.showUnits(conflicts.map(({ unit }) => unit));
    } else draw();
    bench.canvas.redraw();
  });
  onLang(draw);
  return { element, open };
}
