/** Rows of role and area that can be added and taken away. */

import { h, iconButton, renew } from '../core/dom';
import type { Grant } from '../core/who';
import { t, tOr } from '../i18n';
import { areaChoices } from './areas';

const ROLES = ['viewer', 'reporter', 'dispatcher', 'analyst', 'planner', 'admin'] as const;

export interface GrantsField {
  element: HTMLElement;
  /** The roles chosen, each once. */
  value: () => Grant[];
}

function choice(label: string, options: readonly [string, string][], value: string): HTMLSelectElement {
  const select = h(
    'select',
    { class: 'field', 'aria-label': label },
    ...options.map(([key, text]) => h('option', { value: key, text })),
  );
  select.value = value;
  return select;
}

/** `mine`: codes of the areas whose roles the reader may give. */
export function createGrantsField(grants: readonly Grant[], mine: readonly string[]): GrantsField {
  let rows: { role: string; area: string }[] = grants.map((one) => ({ ...one }));
  const list = h('div', { class: 'grant-rows' });
  const about = h('p', { class: 'muted', 'aria-live': 'polite' });
  const explainRole = (role: string): void => {
    about.textContent = tOr(`role.${role}.about`, '');
  };
  const add = h('button', { type: 'button', class: 'text-button', text: `+ ${t('people.addRole')}` });
  const draw = (): void =>
    renew(
      list,
      ...rows.map((row) => {
        const role = choice(
          t('people.role'),
          ROLES.map((name) => [name, t(`role.${name}`)] as [string, string]),
          row.role,
        );
        const area = choice(t('people.area'), areaChoices(mine, row.area), row.area);
        role.addEventListener('change', () => {
          row.role = role.value;
          explainRole(row.role);
        });
        role.addEventListener('focus', () => explainRole(row.role));
        area.addEventListener('change', () => {
          row.area = area.value;
        });
        const drop = iconButton('close', t('people.dropRole'), () => {
          rows = rows.filter((one) => one !== row);
          draw();
          add.focus();
        });
        return h('div', { class: 'grant-row' }, role, area, drop);
      }),
    );
  add.addEventListener('click', () => {
    rows.push({ role: 'viewer', area: mine[0] ?? '' });
    draw();
    list.querySelector<HTMLElement>('.grant-row:last-child select')?.focus();
  });
  draw();
  const element = h(
    'fieldset',
    { class: 'grants-field' },
    h('legend', { text: t('people.roles') }),
    list,
    add,
    about,
  );
  const value = (): Grant[] => [
    ...new Map(rows.map((row) => [`${row.role}:${row.area}`, { role: row.role, area: row.area }])).values(),
  ];
  return { element, value };
}
