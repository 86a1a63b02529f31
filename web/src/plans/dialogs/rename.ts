/** A plan's name and note. */
import { ServiceError } from '../../core/client';
import { h } from '../../core/dom';
import { t } from '../../i18n';
import { cancelOr, openDialog } from '../../ui/dialog';
import { explain } from '../../ui/toasts';
import { plansService } from '../service';
import type { Plan } from '../types';
import { nameOfPlan } from '../wording';

/** Ask for name and note. Resolves to whether something was stored. */
export function askEdit(plan: Plan): Promise<boolean> {
  return new Promise((resolve) => {
    let stored = false;
    let from = plan;
    const dialog = openDialog(t('plans.renameTitle', { name: nameOfPlan(plan) }), '', () => resolve(stored));
    const name = h('input', {
      id: 'rename-name',
      class: 'field',
      maxlength: '120',
      autocomplete: 'off',
      value: plan.name,
    });
    const note = h('textarea', { id: 'rename-note', class: 'field', rows: '4', maxlength: '2000' });
    note.value = plan.note;
    const fault = h('p', { class: 'fault', role: 'alert' });
    const go = h('button', { type: 'button', class: 'button', text: t('plans.save') });
    const submit = async (): Promise<void> => {
      if (!name.value.trim()) {
        fault.textContent = t('plans.nameMissing');
        name.focus();
        return;
      }
      go.disabled = true;
      try {
        await plansService.rename(from, { name: name.value.trim(), note: note.value.trim() });
        stored = true;
        dialog.close();
      } catch (error) {
        if (error instanceof ServiceError && error.status === 412) {
          // edited meanwhile: name and note are the reader's to set all the same, once they know
          from = await plansService.plan(plan.id).catch(() => from);
          fault.textContent = t('plans.changedMeanwhile');
        } else fault.textContent = explain(error);
        go.disabled = false;
      }
    };
    const form = h(
      'form',
      {},
      h('label', { for: 'rename-name', class: 'field-label', text: t('plans.name') }),
      name,
      h('label', { for: 'rename-note', class: 'field-label', text: t('plans.noteOptional') }),
      note,
      fault,
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void submit();
    });
    go.addEventListener('click', () => void submit());
    dialog.body.append(form);
    cancelOr(dialog, go);
    name.focus();
    name.select();
  });
}
