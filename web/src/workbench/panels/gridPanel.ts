/** The tab of grids: what can be done with all of them, and the table. */
import { address, getJson } from '../../core/client';
import { h, renew } from '../../core/dom';
import { onLang, t } from '../../i18n';
import { report } from '../../ui/toasts';
import type { Operation } from '../model';
import type { Bench } from '../tools/types';
import { createGridTable } from './gridTable';

interface Numbering {
  operations: Operation[];
}

/** Give grids that are not locked new numbers, as the service proposes them. */
async function renumber(bench: Bench): Promise<void> {
  if (!bench.editable()) return;
  try {
    await bench.sync.save();
    const answer = await getJson<Numbering>(address(`plans/${bench.model.plan.id}/numbering`));
    const { operations } = answer;
    if (operations.length === 0) bench.hint(t('workbench.renumberSame'));
    else if (bench.did(bench.model.applyOperations(operations, 'renumber'))) {
      bench.hint(t('workbench.renumbered', { count: operations.length }));
    }
  } catch (error) {
    report(error);
  }
}

export function createGridPanel(bench: Bench): HTMLElement {
  const bar = h('div', { class: 'panel-bar' });
  const draw = (): void => {
    const act = (id: string, text: string, press: () => void, title = text): HTMLElement =>
      h('button', { type: 'button', id, class: 'text-button', text, title, on: { click: press } });
    const lock = (locked: boolean) => (): void => {
      if (bench.editable()) bench.did(bench.model.setAllLocked(bench.level(), locked));
    };
    renew(
      bar,
      act('lock-all', t('workbench.lockAll'), lock(true)),
      act('unlock-all', t('workbench.unlockAll'), lock(false)),
      act('renumber', t('workbench.renumber'), () => void renumber(bench), t('workbench.renumberHint')),
    );
  };
  draw();
  onLang(draw);
  // a published plan is only looked at
  bar.hidden = bench.model.plan.status !== 'draft';
  return h('div', { class: 'grid-panel' }, bar, createGridTable(bench).element);
}
