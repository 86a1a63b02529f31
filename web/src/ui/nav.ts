/** The ways between the pages. */

import { h, renew } from '../core/dom';
import { onLang, t } from '../i18n';
import { isAdmin, may, session } from './session';

export type PageName = 'map' | 'plans' | 'dispatch' | 'people' | 'history';

const PAGES: readonly [PageName, string][] = [
  ['map', './'],
  ['plans', './plans'],
  ['dispatch', './dispatch'],
  ['people', './people'],
  ['history', './history'],
];

/** Where there is nothing to be read or done, no way leads. */
function shown(name: PageName): boolean {
  if (name === 'people') return isAdmin();
  return name !== 'history' || may('history');
}

export function createNav(current: PageName | null): HTMLElement {
  const nav = h('nav', { class: 'nav' });
  const say = (): void => {
    nav.setAttribute('aria-label', t('frame.nav'));
    renew(
      nav,
      ...PAGES.filter(([name]) => name === current || shown(name)).map(([name, href]) =>
        h('a', {
          class: 'nav-link',
          href,
          'aria-current': name === current ? 'page' : null,
          text: t(`frame.${name}`),
        }),
      ),
    );
  };
  say();
  onLang(say);
  session.on(['who'], say);
  return nav;
}
