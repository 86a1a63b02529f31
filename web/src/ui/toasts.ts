/** Short messages that something failed or was done. */

import { ServiceError } from '../core/client';
import { h, icon, iconButton } from '../core/dom';
import { t } from '../i18n';

const STAY_MS = 8000;
let stack: HTMLElement | null = null;
const shown = new Map<string, number>();

export function startToasts(parent: HTMLElement): void {
  stack = h('div', { class: 'toasts', role: 'status', 'aria-live': 'polite' });
  parent.append(stack);
}

/** Show `message`; the same message is not shown twice at once. */
export function toast(message: string, kind: 'error' | 'done' = 'error'): void {
  if (!stack || shown.has(message)) return;
  const drop = (): void => {
    window.clearTimeout(shown.get(message));
    shown.delete(message);
    element.remove();
  };
  const element = h(
    'div',
    { class: `toast toast-${kind}`, role: kind === 'error' ? 'alert' : 'status' },
    kind === 'error' && icon('warn'),
    h('span', { text: message }),
    iconButton('close', t('error.dismiss'), drop),
  );
  shown.set(message, window.setTimeout(drop, kind === 'done' ? 2500 : STAY_MS));
  stack.append(element);
}

/** One line for people about what went wrong. */
export function explain(error: unknown): string {
  if (error instanceof ServiceError) {
    if (error.status === 0) return t('error.network');
    if (error.status === 404) return t('error.notFound', { message: error.message });
    return t('error.service', { message: error.message });
  }
  return t('error.service', { message: error instanceof Error ? error.message : String(error) });
}

export function report(error: unknown): void {
  toast(explain(error));
}
