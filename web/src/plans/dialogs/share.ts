/** The address of a plan, to copy. */
import { h } from '../../core/dom';
import { t } from '../../i18n';
import { openDialog } from '../../ui/dialog';
import type { PlanRef } from '../types';
import { nameOfPlan } from '../wording';

/** Put text on the clipboard, also where the page is not a secure one (an intranet without TLS). */
async function copy(input: HTMLInputElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(input.value);
    return true;
  } catch {
    input.select();
    // the only way without TLS; browsers keep it for that
    return document.execCommand('copy');
  }
}

/** Show the addresses of a plan: to work on it, and to see what it changes. `at` is where in the workbench to begin. */
export function share(plan: PlanRef, at?: string): void {
  const dialog = openDialog(t('plans.shareTitle', { name: nameOfPlan(plan) }), 'share-dialog');
  const said = h('p', { class: 'muted', role: 'status', text: t('plans.shareHint') });
  const row = (key: 'work' | 'compare', path: string): HTMLElement => {
    const input = h('input', {
      id: `share-${key}`,
      class: 'field',
      readonly: true,
      value: new URL(path, document.baseURI).href,
      on: { focus: () => input.select() },
    });
    return h(
      'div',
      { class: 'share-row' },
      h('label', { for: `share-${key}`, class: 'field-label', text: t(`plans.share.${key}`) }),
      input,
      h('button', {
        type: 'button',
        class: 'button button-plain',
        text: t('plans.copy'),
        'aria-label': `${t('plans.copy')} ${t(`plans.share.${key}`)}`,
        on: {
          click: () =>
            void copy(input).then((done) => {
              said.textContent = t(done ? 'plans.copied' : 'plans.copyYourself');
            }),
        },
      }),
    );
  };
  dialog.body.append(
    row('work', at ?? `./workbench?plan=${plan.id}`),
    row('compare', `./compare?plan=${plan.id}&with=published`),
    said,
  );
  dialog.body.querySelector('input')?.focus();
}
