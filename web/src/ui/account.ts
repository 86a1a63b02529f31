/** What somebody who is signed in sees of themselves: roles, password, the way out. */

import { ServiceError } from '../core/client';
import { h } from '../core/dom';
import type { Grant } from '../core/who';
import { t, tOr } from '../i18n';
import { openDialog } from './dialog';
import { changePassword, isAdmin, session, signOut } from './session';
import { explainSignIn, field, labelled } from './signIn';
import { report, toast } from './toasts';

/** A role and where it holds, in words. */
export const roleText = ({ role, area }: Grant, nameOfArea?: (code: string) => string): string =>
  t('account.roleIn', {
    role: tOr(`role.${role}`, role),
    area: area === '' ? t('account.everywhere') : (nameOfArea?.(area) ?? area),
  });

export function openAccount(): void {
  const { who } = session.get();
  const dialog = openDialog(t('account.title'), 'dialog-small account');
  const out = h('button', { type: 'button', id: 'sign-out', class: 'button', text: t('account.signOut') });
  out.addEventListener('click', () => {
    out.disabled = true;
    signOut().then(
      () => window.location.reload(), // what was shown may not be everybody's
      (error: unknown) => {
        out.disabled = false;
        report(error);
      },
    );
  });
  dialog.body.append(
    h('p', { class: 'account-name', text: who.name }),
    who.grants.length === 0
      ? h('p', { class: 'muted', text: t('account.noRole') })
      : h(
          'ul',
          { class: 'role-list' },
          ...who.grants.map((one) => h('li', { class: 'role-chip', text: roleText(one) })),
        ),
  );
  if (isAdmin()) dialog.body.append(h('p', {}, h('a', { href: './people', text: t('account.people') })));
  if (who.password) dialog.body.append(passwordPart());
  dialog.foot.append(
    h('button', {
      type: 'button',
      class: 'button button-plain',
      text: t('frame.close'),
      on: { click: dialog.close },
    }),
    out,
  );
  out.focus();
}

function passwordPart(): HTMLElement {
  const before = field('password-old', 'password', 'current-password');
  const after = field('password-new', 'password', 'new-password');
  const fault = h('p', { class: 'fault', role: 'alert' });
  const form = h(
    'form',
    { class: 'stack' },
    labelled(t('account.oldPassword'), before),
    labelled(t('account.newPassword'), after),
    h('p', { class: 'muted', text: t('account.passwordHint') }),
    fault,
    h('button', { type: 'submit', class: 'button button-plain', text: t('account.changePassword') }),
  );
  const part = h(
    'details',
    { class: 'sign-in-token' },
    h('summary', { text: t('account.changePassword') }),
    form,
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    fault.textContent = '';
    changePassword(before.value, after.value).then(
      () => {
        form.reset();
        part.open = false;
        toast(t('account.passwordChanged'), 'done');
      },
      (error: unknown) => {
        const short = error instanceof ServiceError && error.status === 400;
        fault.textContent = short ? t('account.passwordHint') : explainSignIn(error);
      },
    );
  });
  return part;
}
