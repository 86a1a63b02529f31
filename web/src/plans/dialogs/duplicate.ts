/** A copy of a plan under a name of its own. */
import { h } from '../../core/dom';
import { t } from '../../i18n';
import { cancelOr, openDialog } from '../../ui/dialog';
import { explain, toast } from '../../ui/toasts';
import { plansService } from '../service';
import type { Plan, PlanRef } from '../types';
import { nameOfPlan } from '../wording';

const NAME_LENGTH = 120;

/** Ask for one line of text; `save` stores it and may throw. Resolves to what it gave, or null. */
export function askLine<T>(options: {
  title: string;
  label: string;
  hint?: string;
  value: string;
  action: string;
  empty: string;
  save: (text: string) => Promise<T>;
}): Promise<T | null> {
  return new Promise((resolve) => {
    let found: T | null = null;
    const dialog = openDialog(options.title, 'dialog-small', () => resolve(found));
    const input = h('input', {
      id: 'line-input',
      class: 'field',
      maxlength: NAME_LENGTH,
      autocomplete: 'off',
      value: options.value,
      'aria-describedby': 'line-fault',
    });
    const fault = h('p', { class: 'fault', id: 'line-fault', role: 'alert' });
    const go = h('button', { type: 'button', class: 'button', text: options.action });
    const submit = async (): Promise<void> => {
      const text = input.value.trim();
      if (!text) {
        fault.textContent = options.empty;
        input.focus();
        return;
      }
      go.disabled = true;
      try {
        found = await options.save(text);
        dialog.close();
      } catch (error) {
        fault.textContent = explain(error);
        go.disabled = false;
      }
    };
    const form = h(
      'form',
      { method: 'dialog' },
      h('label', { for: 'line-input', class: 'field-label', text: options.label }),
      input,
      options.hint && h('p', { class: 'muted', text: options.hint }),
      fault,
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void submit();
    });
    go.addEventListener('click', () => void submit());
    dialog.body.append(form);
    cancelOr(dialog, go);
    input.focus();
    input.select();
  });
}

/** Ask for a name and duplicate. Resolves to the new plan, or null when the reader gave up. */
export async function duplicate(plan: PlanRef): Promise<Plan | null> {
  const name = nameOfPlan(plan);
  const made = await askLine({
    title: t('plans.duplicateTitle', { name }),
    label: t('plans.name'),
    hint: t('plans.duplicateHint'),
    value: t('plans.copyOf', { name }).slice(0, NAME_LENGTH),
    action: t('plans.do.duplicate'),
    empty: t('plans.nameMissing'),
    save: (text) => plansService.duplicate(plan.id, text),
  });
  if (made) toast(t('plans.duplicated', { name: made.name }), 'done');
  return made;
}
