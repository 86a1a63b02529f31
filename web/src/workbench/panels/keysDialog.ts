/** All keys in one place. */
import { h } from '../../core/dom';
import { t } from '../../i18n';
import { openDialog } from '../../ui/dialog';
import { TOOLS } from '../tools/types';
import { LETTERS } from './toolbar';

export function openKeys(): void {
  const dialog = openDialog(t('workbench.keys.title'), 'dialog-keys');
  const row = (keys: string, text: string): HTMLElement =>
    h(
      'div',
      { class: 'key-row' },
      h('dt', {}, ...keys.split(' ').map((key) => h('kbd', { text: key }))),
      h('dd', { text }),
    );
  dialog.body.append(
    h(
      'dl',
      { class: 'keys' },
      ...TOOLS.map((name) => row(LETTERS[name], t(`workbench.tool.${name}`))),
      row('← ↑ → ↓', t('workbench.keys.move')),
      row('Space', t('workbench.keys.space')),
      row('Enter', t('workbench.keys.enter')),
      row('[ ]', t('workbench.keys.turn')),
      row(', .', t('workbench.keys.brush')),
      row('K', t('workbench.keys.lock')),
      row('F', t('workbench.keys.focus')),
      row('+ − 0', t('workbench.keys.zoom')),
      row('Ctrl+Z Ctrl+Y', t('workbench.keys.undo')),
      row('Esc', t('workbench.keys.escape')),
      row('G', t('workbench.keys.map')),
    ),
    h('p', { class: 'muted', text: `${t('workbench.keys.alt')}: ${t('workbench.keys.altHow')}` }),
    h('p', { class: 'muted', text: `${t('workbench.keys.pan')}: ${t('workbench.keys.panHow')}` }),
  );
}
