/** The page's keys: one letter each, while nothing is being typed; `?` shows them. */

import { h } from '../../core/dom';
import { t } from '../../i18n';
import { openDialog } from '../../ui/dialog';

const SHOWN = [
  ['/', 'ask'],
  ['Enter', 'enter'],
  ['1 – 9', 'digits'],
  ['R', 'move'],
  ['S', 'stage'],
  ['J / K', 'next'],
  ['Q', 'queue'],
  ['C', 'copy'],
  ['N', 'new'],
  ['Esc', 'close'],
  ['?', 'help'],
] as const;

/** Run the action of a key; `digit` gets 1–9. Keys with Ctrl, Alt or Meta are the browser's. */
export function listenKeys(
  actions: Readonly<Record<string, () => void>>,
  digit: (number: number) => void,
  escape: () => void,
): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target instanceof HTMLElement ? event.target : null;
    if (target?.closest('dialog')) return;
    if (event.key === 'Escape') {
      escape();
      return;
    }
    if (target?.matches('input:not([type=radio]):not([type=checkbox]), select, textarea')) return;
    if (/^[1-9]$/.test(event.key)) {
      event.preventDefault();
      digit(Number(event.key));
      return;
    }
    const run = actions[event.key.toLowerCase()];
    if (!run) return;
    event.preventDefault();
    run();
  });
}

export function showKeys(): void {
  const dialog = openDialog(t('dispatch.keys'), 'dialog-small');
  dialog.body.append(
    h(
      'dl',
      { class: 'keys' },
      ...SHOWN.map(([key, name]) =>
        h('div', {}, h('dt', {}, h('kbd', { text: key })), h('dd', { text: t(`dispatch.key.${name}`) })),
      ),
    ),
  );
}
