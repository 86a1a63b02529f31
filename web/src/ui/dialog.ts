/** Modal dialogs on the browser's own `<dialog>`: focus stays inside, Escape closes. */

import { h, iconButton } from '../core/dom';
import { t } from '../i18n';

export interface Dialog {
  element: HTMLDialogElement;
  body: HTMLElement;
  /** Buttons at the foot, the last one the main one. */
  foot: HTMLElement;
  close: () => void;
}

/** A foot of two: give up, and the main button. */
export function cancelOr({ foot, close }: Dialog, go: HTMLButtonElement): void {
  foot.append(
    h('button', {
      type: 'button',
      class: 'button button-plain',
      text: t('frame.cancel'),
      on: { click: close },
    }),
    go,
  );
}

let number = 0;

/** Open a dialog with a title; `onClose` runs however it is closed. */
export function openDialog(title: string, className = '', onClose?: () => void): Dialog {
  number += 1;
  const id = `dialog-${number}`;
  const body = h('div', { class: 'dialog-body' });
  const foot = h('div', { class: 'dialog-foot' });
  const element = h(
    'dialog',
    { class: `dialog ${className}`.trim(), 'aria-labelledby': id },
    h(
      'header',
      { class: 'dialog-head' },
      h('h2', { id, text: title }),
      iconButton('close', t('frame.close'), () => element.close()),
    ),
    body,
    foot,
  );
  element.addEventListener('close', () => {
    element.remove();
    onClose?.();
  });
  document.body.append(element);
  element.showModal();
  return { element, body, foot, close: () => element.close() };
}
