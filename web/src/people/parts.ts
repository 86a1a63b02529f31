/** What both halves of the page are made of: tables, chips, dialogs with a form. */

import { h } from '../core/dom';
import type { Grant } from '../core/who';
import { t } from '../i18n';
import { roleText } from '../ui/account';
import { type Dialog, openDialog } from '../ui/dialog';
import { explain } from '../ui/toasts';
import { areaName } from './areas';

/** The roles of somebody, one chip each. */
export const roleChips = (grants: readonly Grant[]): HTMLElement =>
  grants.length === 0
    ? h('span', { class: 'muted', text: t('people.noRoles') })
    : h(
        'ul',
        { class: 'role-list' },
        ...grants.map((one) =>
          h('li', {
            class: `role-chip${one.role === 'admin' ? ' is-admin' : ''}`,
            text: roleText(one, areaName),
            title: one.area,
          }),
        ),
      );

/** A table of cells with a caption for those who cannot see it. */
export const table = (
  caption: string,
  heads: readonly string[],
  rows: readonly HTMLTableRowElement[],
): HTMLElement =>
  h(
    'div',
    { class: 'table-frame', tabindex: '0', role: 'region', 'aria-label': caption },
    h(
      'table',
      { class: 'people-table' },
      h('thead', {}, h('tr', {}, ...heads.map((text) => h('th', { scope: 'col', text })))),
      h('tbody', {}, ...rows),
    ),
  );

export const rowButton = (text: string, label: string, press: () => void, danger = false): HTMLElement =>
  h('button', {
    type: 'button',
    class: `text-button${danger ? ' is-danger' : ''}`,
    text,
    'aria-label': label,
    on: { click: press },
  });

export interface FormDialog extends Dialog {
  form: HTMLFormElement;
}

/** A dialog with a form: what `submit` throws is told under it, and whatever ends well closes it. */
export function openForm(title: string, action: string, submit: () => Promise<void>): FormDialog {
  const dialog = openDialog(title, 'people-dialog');
  const fault = h('p', { class: 'fault', role: 'alert' });
  const go = h('button', { type: 'submit', form: 'people-form', class: 'button', text: action });
  const form = h('form', { id: 'people-form', class: 'stack', novalidate: true });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (go.disabled) return;
    go.disabled = true;
    fault.textContent = '';
    submit().then(dialog.close, (error: unknown) => {
      fault.textContent = error instanceof Missing ? error.message : explain(error);
      go.disabled = false;
    });
  });
  dialog.body.append(form, fault);
  dialog.foot.append(
    h('button', {
      type: 'button',
      class: 'button button-plain',
      text: t('frame.cancel'),
      on: { click: dialog.close },
    }),
    go,
  );
  return { ...dialog, form };
}

/** A field that has to be filled in. */
export class Missing extends Error {}

export function need(value: string, name: string): string {
  if (value.trim() === '') throw new Missing(t('people.missing', { field: name }));
  return value.trim();
}

/** Ask whether something is to be undone for good. */
export function askSure(title: string, text: string, action: string, does: () => Promise<void>): void {
  const dialog = openDialog(title, 'dialog-small');
  const fault = h('p', { class: 'fault', role: 'alert' });
  const keep = h('button', {
    type: 'button',
    class: 'button button-plain',
    text: t('people.keep'),
    on: { click: dialog.close },
  });
  const go = h('button', { type: 'button', class: 'button button-danger', text: action });
  go.addEventListener('click', () => {
    go.disabled = true;
    does().then(dialog.close, (error: unknown) => {
      fault.textContent = explain(error);
      go.disabled = false;
    });
  });
  dialog.body.append(h('p', { text }), fault);
  dialog.foot.append(keep, go);
  keep.focus();
}
