/** The lower half of the page: tokens of systems. */

import { h, icon, renew } from '../core/dom';
import { date } from '../core/format';
import { t } from '../i18n';
import { openDialog } from '../ui/dialog';
import { field, labelled } from '../ui/signIn';
import { toast } from '../ui/toasts';
import { createGrantsField } from './grantsField';
import { askSure, Missing, need, openForm, roleChips, rowButton, table } from './parts';
import { type NewToken, peopleService, type Token } from './service';
import type { Half } from './users';

const DAYS = [30, 90, 180, 365] as const;
const DEFAULT_DAYS = 90;
const NEVER = 'never';

export interface TokensOptions {
  tokens: () => readonly Token[] | null;
  mine: () => readonly string[];
  changed: () => Promise<void>;
}

export function createTokens({ tokens, mine, changed }: TokensOptions): Half {
  const element = h('section', { class: 'people-half', 'aria-labelledby': 'people-tokens' });
  const ended = h('input', { id: 'tokens-ended', type: 'checkbox' });
  ended.addEventListener('change', () => show());

  const row = (token: Token): HTMLTableRowElement =>
    h(
      'tr',
      { 'data-token': token.id },
      h('th', { scope: 'row', text: token.name }),
      h('td', {}, h('code', { text: `${token.hint}…` })),
      h('td', {}, roleChips(token.grants)),
      h('td', {}, h('span', { class: `state state-${token.state}`, text: t(`people.token.${token.state}`) })),
      h('td', { text: token.expires_at ? date(token.expires_at) : t('people.never') }),
      h('td', { text: token.used_at ? date(token.used_at) : t('people.notYet') }),
      h(
        'td',
        { class: 'row-actions' },
        token.managed &&
          token.state === 'active' &&
          rowButton(
            t('people.revoke'),
            t('people.revokeOne', { name: token.name }),
            () => revoke(token),
            true,
          ),
      ),
    );

  function create(): void {
    const name = field('token-name', 'text', 'off');
    const lasts = h(
      'select',
      { id: 'token-days', class: 'field' },
      ...DAYS.map((days) => h('option', { value: days, text: t('people.days', { days }) })),
      h('option', { value: NEVER, text: t('people.forEver') }),
    );
    lasts.value = String(DEFAULT_DAYS);
    const grants = createGrantsField([{ role: 'dispatcher', area: mine()[0] ?? '' }], mine());
    const { form } = openForm(t('people.addToken'), t('people.create'), async () => {
      const made: NewToken = { name: need(name.value, t('people.tokenName')), grants: grants.value() };
      if (made.grants.length === 0) throw new Missing(t('people.needRole'));
      if (lasts.value === NEVER) made.never = true;
      else made.days = Number(lasts.value);
      const token = await peopleService.addToken(made);
      showSecret(token.name, token.secret);
      await changed();
    });
    form.append(labelled(t('people.tokenName'), name), labelled(t('people.lasts'), lasts), grants.element);
    name.focus();
  }

  function revoke(token: Token): void {
    const { name } = token;
    askSure(t('people.revokeTitle', { name }), t('people.revokeText'), t('people.revoke'), async () => {
      await peopleService.revokeToken(token.id);
      toast(t('people.revoked', { name }), 'done');
      await changed();
    });
  }

  function show(): void {
    const found = tokens();
    const live = found?.filter(({ state }) => ended.checked || state === 'active') ?? [];
    const heads = (['tokenName', 'hint', 'roles', 'state', 'expires', 'used', 'actions'] as const).map(
      (key) => t(`people.${key}`),
    );
    renew(
      element,
      h(
        'header',
        { class: 'half-head' },
        h(
          'div',
          {},
          h('h2', { id: 'people-tokens', text: t('people.tokens') }),
          h('p', { class: 'muted', text: t('people.tokensAbout') }),
        ),
        h(
          'button',
          { type: 'button', id: 'token-add', class: 'button has-icon', on: { click: create } },
          icon('plus'),
          t('people.addToken'),
        ),
      ),
      found !== null && live.length === 0 && h('p', { class: 'empty-note', text: t('people.noTokens') }),
      live.length > 0 && table(t('people.tokens'), heads, live.map(row)),
      found !== null &&
        found.some(({ state }) => state !== 'active') &&
        h('div', { class: 'check' }, ended, h('label', { for: 'tokens-ended', text: t('people.showEnded') })),
    );
  }

  return { element, show };
}

/** The secret, this once. */
function showSecret(name: string, secret: string): void {
  const dialog = openDialog(t('people.secretTitle'), 'people-dialog');
  const shown = h('input', {
    id: 'token-secret',
    class: 'field secret',
    type: 'text',
    readonly: true,
    value: secret,
    spellcheck: 'false',
  });
  const said = h('p', { class: 'muted', role: 'status' });
  const copy = h(
    'button',
    { type: 'button', id: 'token-copy', class: 'button has-icon' },
    icon('copy'),
    t('people.copy'),
  );
  copy.addEventListener('click', () => {
    shown.select();
    // only pages reached by https or on this machine have a clipboard
    const copied = navigator.clipboard ? navigator.clipboard.writeText(secret) : Promise.reject(new Error());
    copied.then(
      () => (said.textContent = t('people.copied')),
      () => (said.textContent = t('people.copyFailed')),
    );
  });
  dialog.body.append(
    h('p', { text: t('people.secretText', { name }) }),
    h('label', { for: 'token-secret', class: 'field-label', text: t('people.secret') }),
    h('div', { class: 'secret-row' }, shown, copy),
    said,
  );
  dialog.foot.append(
    h('button', {
      type: 'button',
      id: 'token-kept',
      class: 'button button-plain',
      text: t('people.done'),
      on: { click: dialog.close },
    }),
  );
  shown.focus();
  shown.select();
}
