/** The dialog to sign in: login and password, the city's provider, or a token. On an open machine: the name to sign with. */

import { address, ServiceError } from '../core/client';
import { h } from '../core/dom';
import { authorName, setAuthor } from '../core/who';
import { t } from '../i18n';
import { openDialog } from './dialog';
import { session, signIn, useToken } from './session';
import { explain } from './toasts';

let asking = false;

/** Ask who works here. Resolves once they may edit, or gave up. */
export const askWho = (): Promise<boolean> =>
  session.get().me.open && session.get().who.kind === 'machine' ? askName() : askSignIn();

/** The service wants somebody to sign in before it shows anything: ask once, then show the page anew. */
export function signInFirst(): void {
  if (asking || session.get().who.signed_in) return;
  void askSignIn(t('signIn.first')).then(() => {
    if (session.get().who.signed_in) window.location.reload();
  });
}

/** What the way back from the identity provider says went wrong, once. */
export function sayReturn(): void {
  const url = new URL(window.location.href);
  const told = url.searchParams.get('sign-in');
  if (told === null) return;
  url.searchParams.delete('sign-in');
  window.history.replaceState(null, '', url);
  void askSignIn('', t(told === 'refused' ? 'signIn.providerRefused' : 'signIn.providerFailed'));
}

function askSignIn(notice = '', fault = ''): Promise<boolean> {
  asking = true;
  return new Promise((done) => {
    const dialog = openDialog(t('signIn.title'), 'dialog-small sign-in', () => {
      asking = false;
      done(session.get().me.planner);
    });
    const said = h('p', { id: 'sign-in-fault', class: 'fault', role: 'alert', text: fault });
    const go = h('button', { type: 'submit', form: 'sign-in-form', class: 'button', text: t('signIn.go') });
    const login = field('sign-in-login', 'text', 'username');
    const password = field('sign-in-password', 'password', 'current-password');
    const form = h(
      'form',
      { id: 'sign-in-form', class: 'stack' },
      notice !== '' && h('p', { class: 'notice', text: notice }),
      labelled(t('signIn.login'), login),
      labelled(t('signIn.password'), password),
      said,
    );
    const trying = async (attempt: () => Promise<boolean>, wrong: string): Promise<void> => {
      go.disabled = true;
      said.textContent = '';
      try {
        if (await attempt()) return dialog.close();
        said.textContent = wrong;
      } catch (error) {
        said.textContent = explainSignIn(error);
      }
      go.disabled = false;
      password.select();
    };
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (login.value.trim() === '' || password.value === '') {
        said.textContent = t('signIn.missing');
        return (login.value.trim() === '' ? login : password).focus();
      }
      void trying(() => signIn(login.value.trim(), password.value).then(() => true), t('signIn.wrong'));
    });
    dialog.body.append(
      form,
      ...providerLink(),
      tokenPart((token) => trying(() => useToken(token), t('frame.wrongKey'))),
    );
    dialog.foot.append(
      h('button', {
        type: 'button',
        class: 'button button-plain',
        text: t('frame.cancel'),
        on: { click: dialog.close },
      }),
      go,
    );
    login.focus();
  });
}

function providerLink(): HTMLElement[] {
  if (session.get().who.provider === null) return [];
  const page = window.location.pathname.replace(/^.*\//, '');
  const next = `${page}${window.location.search}`;
  const href = address('session/provider', { next: /^[a-z]*(\?[\w.~%=&,:+-]*)?$/.test(next) ? next : '' });
  return [
    h('p', { class: 'sign-in-or', text: t('signIn.or') }),
    h('a', {
      id: 'sign-in-provider',
      class: 'button button-plain',
      href: href.href,
      text: t('signIn.provider'),
    }),
  ];
}

function tokenPart(use: (token: string) => Promise<void>): HTMLElement {
  const token = field('sign-in-token', 'password', 'off');
  const form = h(
    'form',
    { class: 'stack' },
    labelled(t('signIn.token'), token),
    h('p', { class: 'muted', text: t('signIn.tokenHint') }),
    h('button', { type: 'submit', class: 'button button-plain', text: t('signIn.useToken') }),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (token.value.trim() !== '') void use(token.value);
  });
  return h('details', { class: 'sign-in-token' }, h('summary', { text: t('signIn.byToken') }), form);
}

/** On a machine that is let in without a password: only the name that edits are noted under. */
function askName(): Promise<boolean> {
  return new Promise((done) => {
    let instead = false;
    const dialog = openDialog(t('frame.who'), 'dialog-small', () => {
      if (!instead) done(session.get().me.planner);
    });
    const name = h('input', {
      id: 'who-input',
      class: 'field',
      type: 'text',
      maxlength: '200',
      autocomplete: 'off',
      value: authorName(),
    });
    const form = h(
      'form',
      { id: 'who-form', class: 'stack' },
      labelled(t('frame.who'), name),
      h('p', { class: 'muted', text: t('frame.whoHint') }),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      setAuthor(name.value);
      session.set({ me: { ...session.get().me } });
      dialog.close();
    });
    dialog.body.append(form);
    dialog.foot.append(
      h('button', {
        type: 'button',
        id: 'who-sign-in',
        class: 'button button-plain',
        text: t('signIn.instead'),
        on: {
          click: () => {
            instead = true;
            dialog.close();
            void askSignIn().then(done);
          },
        },
      }),
      h('button', { type: 'submit', form: 'who-form', class: 'button', text: t('frame.save') }),
    );
    name.focus();
  });
}

/** A field with an id, for a label. */
export const field = (id: string, type: string, autocomplete: string): HTMLInputElement =>
  h('input', {
    id,
    class: 'field',
    type,
    maxlength: '200',
    autocomplete,
    autocapitalize: 'none',
    spellcheck: 'false',
  });

/** A label above its field. */
export const labelled = (text: string, input: HTMLElement): HTMLElement =>
  h('div', { class: 'labelled' }, h('label', { for: input.id, text }), input);

/** One line about a sign-in that did not work. */
export function explainSignIn(error: unknown): string {
  if (!(error instanceof ServiceError)) return explain(error);
  if (error.status === 401 || error.code === 'wrong_password') return t('signIn.wrong');
  const seconds = error.details['retry_after'];
  if (error.status === 429) return t('signIn.wait', { seconds: typeof seconds === 'number' ? seconds : '?' });
  return explain(error);
}
