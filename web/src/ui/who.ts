/** Who works here: the button in the header and the dialog behind it. */

import { address, getJson } from '../core/client';
import { h } from '../core/dom';
import { createStore } from '../core/store';
import { authorName, type Me, setAuthor, setKey } from '../core/who';
import { onLang, t } from '../i18n';
import { openDialog } from './dialog';

const NOBODY: Me = { planner: false, name: '', open: false, keys: false, with_key: false };

/** What the service lets this reader do; pages listen to `me`. */
export const session = createStore<{ me: Me }>({ me: NOBODY });

export async function readMe(): Promise<Me> {
  const me = await getJson<Me>(address('me'));
  session.set({ me });
  return me;
}

/** The button that says who is signed in, and changes it. */
export function createWho(): HTMLElement {
  const button = h('button', { type: 'button', class: 'who', on: { click: () => askWho() } });
  const say = (): void => {
    const { me } = session.get();
    const name = me.with_key ? me.name : authorName();
    button.textContent = me.planner ? name || t('frame.anonymous') : t('frame.readOnly');
    button.title = me.planner ? t('frame.who') : t('frame.readOnlyHint');
    button.classList.toggle('is-read-only', !me.planner);
    // a service that nobody may edit has nothing to sign in for
    button.hidden = !me.open && !me.keys;
  };
  say();
  session.on(['me'], say);
  onLang(say);
  return button;
}

/** Ask for name or key. Resolves once the reader may edit, or gave up. */
export function askWho(): Promise<boolean> {
  const { me } = session.get();
  return new Promise((done) => {
    const dialog = openDialog(me.open ? t('frame.who') : t('frame.key'), 'dialog-small', () =>
      done(session.get().me.planner),
    );
    const input = h('input', {
      id: 'who-input',
      class: 'field',
      type: me.open ? 'text' : 'password',
      maxlength: '200',
      autocomplete: 'off',
      value: me.open ? authorName() : '',
    });
    const fault = h('p', { class: 'fault', role: 'alert' });
    const form = h(
      'form',
      { method: 'dialog' },
      h('label', { for: 'who-input', text: me.open ? t('frame.who') : t('frame.key') }),
      input,
      h('p', { class: 'muted', text: me.open ? t('frame.whoHint') : t('frame.keyHint') }),
      fault,
    );
    const submit = async (): Promise<void> => {
      if (me.open) setAuthor(input.value);
      else setKey(input.value);
      const now = await readMe();
      if (now.planner) dialog.close();
      else {
        setKey('');
        fault.textContent = t('frame.wrongKey');
        input.select();
      }
    };
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void submit();
    });
    dialog.body.append(form);
    dialog.foot.append(
      h('button', {
        type: 'button',
        class: 'button button-plain',
        text: t('frame.cancel'),
        on: { click: dialog.close },
      }),
      h('button', {
        type: 'button',
        class: 'button',
        text: t('frame.save'),
        on: { click: () => void submit() },
      }),
    );
    input.focus();
  });
}
