/** Giving the open report to another grid: which one, and why. */

import type { App } from '../../core/app';
import { h, renew } from '../../core/dom';
import { findEntries } from '../../core/query';
import { t } from '../../i18n';
import type { DispatchStore } from '../state';
import { type Opened, type Stage, STAGES } from '../types';
import { gridName, stageName } from '../words';

export const REASONS = ['side', 'position', 'address', 'professional', 'agreed', 'duplicate'] as const;
const LISTED_MOST = 3000;

export interface Written {
  common: string;
  text: string;
}

export interface ReassignActions {
  send(grid: string, reason: string, stage: Stage | null): Promise<boolean>;
  cancel(): void;
}

export interface ReassignForm {
  element: HTMLElement;
  focus(): void;
  /** What was given as reason so far: kept when the report changes under the form. */
  written(): Written;
  /** Show the grid chosen elsewhere: on the left, on the map, by a key. */
  follow(): void;
}

export function createReassignForm(
  app: App,
  store: DispatchStore,
  opened: Opened,
  actions: ReassignActions,
  before: Written = { common: '', text: '' },
): ReassignForm {
  const { report } = opened;
  const now = report.properties.grid_code;
  const target = h('input', {
    id: 'target',
    class: 'field',
    type: 'text',
    list: 'target-grids',
    autocomplete: 'off',
    'aria-describedby': 'target-hint target-name',
    on: { change: () => take() },
  });
  const name = h('p', { id: 'target-name', class: 'target-name', role: 'status' });
  const more = h('textarea', { id: 'reason-text', class: 'field', rows: '2', maxlength: '500' });
  more.value = before.text;
  const fault = h('p', { class: 'fault', role: 'alert' });
  const stage = h('input', { type: 'checkbox', id: 'with-stage' });
  const onward = report.properties.stage === STAGES[0];
  stage.checked = onward;

  // professional grids of the place can be typed too, by the code the left card tells
  const grids = app.catalog.grids.features.map(({ properties }) => ({
    code: properties.code,
    name: gridName(app, properties.code, properties.name),
    level: 'grid',
  }));
  const options = h(
    'datalist',
    { id: 'target-grids' },
    ...grids.slice(0, LISTED_MOST).map((grid) => h('option', { value: grid.code, label: grid.name })),
  );

  const reasons = h(
    'div',
    { class: 'reasons', role: 'radiogroup', 'aria-labelledby': 'reason-label' },
    ...REASONS.map((reason) => {
      const input = h('input', { type: 'radio', name: 'reason', id: `reason-${reason}`, value: reason });
      input.checked = reason === before.common;
      return h(
        'label',
        { for: `reason-${reason}` },
        input,
        h('span', { text: t(`dispatch.reason.${reason}`) }),
      );
    }),
  );

  function take(): void {
    const typed = target.value.trim();
    const known = store.get().choices.find(({ code }) => code === typed);
    const found = known ?? findEntries(grids, typed, 2)[0];
    const sole =
      known ??
      (findEntries(grids, typed, 2).length === 1 ? found : grids.find((grid) => grid.code === typed));
    if (typed === '') store.set({ target: null });
    else if (sole) {
      store.set({ target: sole.code });
      follow();
    } else {
      store.set({ target: null });
      name.textContent = t('dispatch.targetUnknown', { text: typed });
      name.classList.add('fault');
    }
  }

  function follow(): void {
    const code = store.get().target;
    const choice = store.get().choices.find((entry) => entry.code === code);
    if (code !== null) target.value = code;
    else if (document.activeElement !== target) target.value = '';
    const same = code !== null && code === now;
    const words =
      code === null ? t('dispatch.targetNone') : gridName(app, code, choice?.system ? choice.name : null);
    name.textContent = same ? t('dispatch.targetSame') : words;
    name.classList.toggle('fault', same);
    name.classList.toggle('is-chosen', code !== null && !same);
  }

  function reasonNow(): string {
    const checked = reasons.querySelector<HTMLInputElement>('input:checked');
    const common = checked ? t(`dispatch.reason.${checked.value as (typeof REASONS)[number]}`) : '';
    return [common, more.value.trim()].filter(Boolean).join('；');
  }

  async function send(): Promise<void> {
    if (document.activeElement === target) take();
    const grid = store.get().target;
    fault.textContent = '';
    if (grid === null || grid === now) {
      fault.textContent = grid === null ? t('dispatch.targetNone') : t('dispatch.targetSame');
      target.focus();
      return;
    }
    const reason = reasonNow();
    if (reason === '') {
      fault.textContent = t('dispatch.reasonNeeded');
      reasons.querySelector('input')?.focus();
      return;
    }
    button.disabled = true;
    await actions.send(grid, reason, onward && stage.checked ? STAGES[1] : null);
    button.disabled = false;
  }

  const button = h('button', { type: 'submit', class: 'button', text: t('dispatch.doMove') });
  const form = h('form', { class: 'move-form', 'aria-labelledby': 'move-title', novalidate: true });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void send();
  });
  more.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  renew(
    form,
    h('h3', { id: 'move-title', text: t('dispatch.moveTitle') }),
    h('label', { for: 'target', text: t('dispatch.target') }),
    target,
    options,
    name,
    h('p', { id: 'target-hint', class: 'muted', text: t('dispatch.targetHint') }),
    h('p', { id: 'reason-label', class: 'form-label', text: t('dispatch.reason') }),
    reasons,
    h('label', { for: 'reason-text', class: 'unseen', text: t('dispatch.reasonText') }),
    more,
    onward
      ? h(
          'label',
          { class: 'check-row', for: 'with-stage' },
          stage,
          h('span', { text: t('dispatch.withStage', { stage: stageName(STAGES[1]) }) }),
        )
      : null,
    h('p', { class: 'muted', text: t('dispatch.audited') }),
    fault,
    h(
      'div',
      { class: 'form-feet' },
      button,
      h('button', {
        type: 'button',
        class: 'button button-plain',
        text: t('frame.cancel'),
        on: { click: actions.cancel },
      }),
    ),
  );
  more.placeholder = t('dispatch.reasonText');
  follow();
  return {
    element: form,
    follow,
    written: () => ({
      common: reasons.querySelector<HTMLInputElement>('input:checked')?.value ?? '',
      text: more.value,
    }),
    focus: () => {
      if (store.get().target === null) target.focus();
      else (reasons.querySelector<HTMLInputElement>('input') ?? target).focus();
    },
  };
}
