/** The upper half of the page: people. */

import { h, icon, renew } from '../core/dom';
import { t } from '../i18n';
import { field, labelled } from '../ui/signIn';
import { toast } from '../ui/toasts';
import { createGrantsField } from './grantsField';
import { askSure, need, openForm, roleChips, rowButton, table } from './parts';
import { peopleService, type Person, type PersonChange } from './service';

export interface Half {
  element: HTMLElement;
  show: () => void;
}

export interface UsersOptions {
  people: () => readonly Person[] | null;
  /** Codes of the areas whose roles the reader may give. */
  mine: () => readonly string[];
  changed: () => Promise<void>;
}

const called = (person: Person): string => person.name || person.login;

function stateOf(person: Person): HTMLElement {
  const key = person.disabled
    ? 'disabled'
    : person.provider
      ? 'byProvider'
      : person.password
        ? 'active'
        : 'noPassword';
  return h('span', { class: `state state-${key}`, text: t(`people.${key}`) });
}

export function createUsers({ people, mine, changed }: UsersOptions): Half {
  const element = h('section', { class: 'people-half', 'aria-labelledby': 'people-users' });

  const row = (person: Person): HTMLTableRowElement =>
    h(
      'tr',
      { 'data-login': person.login },
      h('th', { scope: 'row' }, h('code', { text: person.login })),
      h('td', { text: person.name }),
      h('td', {}, roleChips(person.grants)),
      h('td', {}, stateOf(person)),
      h(
        'td',
        { class: 'row-actions' },
        rowButton(t('people.edit'), t('people.editOne', { name: called(person) }), () => edit(person)),
        person.managed &&
          rowButton(
            t('people.remove'),
            t('people.removeOne', { name: called(person) }),
            () => remove(person),
            true,
          ),
      ),
    );

  function edit(person: Person | null): void {
    const login = field('person-login', 'text', 'off');
    const name = field('person-name', 'text', 'off');
    const password = field('person-password', 'password', 'new-password');
    const disabled = h('input', { id: 'person-disabled', type: 'checkbox' });
    name.value = person?.name ?? '';
    disabled.checked = person?.disabled ?? false;
    const grants = createGrantsField(person?.grants ?? [{ role: 'viewer', area: mine()[0] ?? '' }], mine());
    const store = async (): Promise<void> => {
      if (person === null) {
        await peopleService.addPerson({
          login: need(login.value, t('people.login')).toLowerCase(),
          name: name.value.trim(),
          password: need(password.value, t('people.password')) && password.value,
          grants: grants.value(),
        });
      } else {
        const change: PersonChange = { grants: grants.value() };
        if (person.managed) {
          change.name = name.value.trim();
          change.disabled = disabled.checked;
          if (password.value !== '') change.password = password.value;
        }
        await peopleService.changePerson(person.id, change);
      }
      toast(t('people.saved'), 'done');
      await changed();
    };
    const title = person ? t('people.editOne', { name: called(person) }) : t('people.addUser');
    const { form } = openForm(title, t('people.save'), store);
    if (person === null) {
      form.append(
        labelled(t('people.login'), login),
        h('p', { class: 'muted', text: t('people.loginHint') }),
      );
    }
    const full = person?.managed ?? true;
    if (full) form.append(labelled(t('people.name'), name));
    else form.append(h('p', { class: 'notice', text: t('people.beyond') }));
    if (full && !person?.provider) {
      form.append(
        labelled(t(person ? 'people.newPassword' : 'people.password'), password),
        h('p', { class: 'muted', text: t('people.passwordHint') }),
      );
    }
    form.append(grants.element);
    if (person !== null && full) {
      form.append(
        h(
          'div',
          { class: 'check' },
          disabled,
          h('label', { for: 'person-disabled', text: t('people.disable') }),
        ),
      );
    }
    (person === null ? login : full ? name : form).focus();
  }

  function remove(person: Person): void {
    const name = called(person);
    askSure(t('people.removeTitle', { name }), t('people.removeText'), t('people.remove'), async () => {
      await peopleService.removePerson(person.id);
      toast(t('people.removed', { name }), 'done');
      await changed();
    });
  }

  function show(): void {
    const found = people();
    const heads = (['login', 'name', 'roles', 'state', 'actions'] as const).map((key) => t(`people.${key}`));
    renew(
      element,
      h(
        'header',
        { class: 'half-head' },
        h(
          'div',
          {},
          h('h2', { id: 'people-users', text: t('people.users') }),
          h('p', { class: 'muted', text: t('people.usersAbout') }),
        ),
        h(
          'button',
          { type: 'button', id: 'people-add', class: 'button has-icon', on: { click: () => edit(null) } },
          icon('plus'),
          t('people.addUser'),
        ),
      ),
      found !== null && found.length === 0 && h('p', { class: 'empty-note', text: t('people.noUsers') }),
      found !== null && found.length > 0 && table(t('people.users'), heads, found.map(row)),
    );
  }

  return { element, show };
}
