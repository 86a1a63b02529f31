/** The button in the header that says who works here, and the way in. */

import { onRefused } from '../core/client';
import { h } from '../core/dom';
import { authorName } from '../core/who';
import { onLang, t } from '../i18n';
import { openAccount } from './account';
import { session } from './session';
import { askWho, sayReturn, signInFirst } from './signIn';

export { readMe, session } from './session';
export { askWho } from './signIn';

onRefused(signInFirst);
const known = session.on(['who'], () => {
  known();
  sayReturn();
});

/** The button that says who is signed in, and changes it. */
export function createWho(): HTMLElement {
  const button = h('button', { type: 'button', class: 'who' });
  button.addEventListener('click', () => {
    if (session.get().who.signed_in) openAccount();
    else void askWho();
  });
  const say = (): void => {
    const { me, who } = session.get();
    const name = who.name || me.name || authorName();
    if (who.signed_in) {
      button.textContent = name || t('frame.anonymous');
      button.title = t('account.title');
    } else {
      button.textContent = me.planner ? authorName() || t('frame.anonymous') : t('signIn.title');
      button.title = me.planner ? t('frame.who') : t('signIn.hint');
    }
    button.classList.toggle('is-read-only', !me.planner && !who.signed_in);
  };
  say();
  session.on(['me', 'who'], say);
  onLang(say);
  return button;
}
