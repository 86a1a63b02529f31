/** The ways between the pages. */

import { h, renew } from '../core/dom';
import { onLang, t } from '../i18n';
import { isAdmin, session } from './session';

export type PageName = 'map' | 'plans' | 'dispatch' | 'people';

const PAGES: readonly [PageName, string][] = [
  ['map', './'],
  ['plans', './plans'],
  ['dispatch', './dispatch'],
  ['people', './people'],
];

export function createNav(current: PageName | null): HTMLElement {
  const nav = h('nav', { class: 'nav' });
  const say = (): void => {
    nav.setAttribute('aria-label', t('frame.nav'));
    renew(
      nav,
      ...PAGES.filter(([name]) => name !== 'people' || name === current || isAdmin()).map(([name, href]) =>
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
