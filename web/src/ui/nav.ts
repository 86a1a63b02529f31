/** The ways between the pages. */

import { h, renew } from '../core/dom';
import { onLang, t } from '../i18n';
import { session } from './who';

export type PageName = 'map' | 'plans' | 'dispatch' | 'history';

const PAGES: readonly [PageName, string][] = [
  ['map', './'],
  ['plans', './plans'],
  ['dispatch', './dispatch'],
  ['history', './history'],
];

/** Where there is nothing to be read, no way leads. */
const mayReadHistory = (): boolean => session.get().me.planner;

export function createNav(current: PageName | null): HTMLElement {
  const nav = h('nav', { class: 'nav' });
  const say = (): void => {
    nav.setAttribute('aria-label', t('frame.nav'));
    renew(
      nav,
      ...PAGES.filter(([name]) => name !== 'history' || mayReadHistory()).map(([name, href]) =>
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
  session.on(['me'], say);
  return nav;
}
