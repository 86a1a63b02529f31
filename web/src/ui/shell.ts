/** The page's frame: header, map, cards over it, status line. */

import type { App } from '../core/app';
import { h, icon, renew } from '../core/dom';
import { nameOf, onLang, t } from '../i18n';
import { createLanguage } from './frame';
import { createNav } from './nav';
import { createWho } from './who';

export interface Shell {
  header: HTMLElement;
  search: HTMLElement;
  map: HTMLElement;
  side: HTMLElement;
  details: HTMLElement;
  corner: HTMLElement;
  tools: HTMLElement;
  status: HTMLElement;
  progress: HTMLElement;
}

/** Put the frame into `root`; the parts are filled by their own modules. */
export function createShell(root: HTMLElement, app: App): Shell {
  const { overview } = app.catalog;
  const map = h('div', { id: 'map', class: 'map', tabindex: '0', role: 'application' });
  const side = h('aside', { class: 'side card' });
  const details = h('section', { class: 'details card', hidden: true });
  const corner = h('section', { class: 'legend card' });
  const tools = h('div', { class: 'tools' });
  const search = h('div', { class: 'search', role: 'search' });
  const status = h('footer', { class: 'status' });
  const progress = h('div', { class: 'progress', 'aria-hidden': 'true' });
  const title = h('h1', { class: 'brand-name' });
  const area = h('span', { class: 'brand-area' });
  const skip = h('a', { class: 'skip', href: '#map' });
  skip.addEventListener('click', (event) => {
    event.preventDefault(); // the address holds the view, not an anchor
    map.focus();
  });
  const header = h(
    'header',
    { class: 'header' },
    skip,
    h('img', { class: 'brand-mark', src: './icon.svg', alt: '', width: '28', height: '28' }),
    h('div', { class: 'brand' }, title, area),
    createNav('map'),
    search,
    createWho(),
    createLanguage(),
  );
  const empty = h('section', { class: 'empty card', hidden: overview.generation !== null });
  const scale = h('div', { id: 'scale', class: 'scale' });
  const main = h('main', { class: 'main' }, map, progress, side, tools, scale, corner, empty, details);
  renew(root, header, main, status);

  const district = overview.areas.find(({ level }) => level === 'district') ?? overview.areas[0];
  const say = (): void => {
    const place = district ? nameOf(district) : t('app.noArea');
    title.textContent = t('app.title');
    area.textContent = place;
    document.title = t('app.page', { area: place });
    skip.textContent = t('app.skip');
    map.setAttribute('aria-label', t('map.label'));
    renew(
      empty,
      icon('layers'),
      h('h2', { text: t('status.unpublished') }),
      h('p', { text: t(district ? 'empty.plan' : 'empty.import') }),
    );
  };
  say();
  onLang(say);
  return { header, search, map, side, details, corner, tools, status, progress };
}

/** The page before there is anything to show: opening, or failed with a way to try again. */
export function showOpening(root: HTMLElement): void {
  renew(
    root,
    h(
      'div',
      { class: 'opening', role: 'status' },
      h('div', { class: 'spinner' }),
      h('p', { text: t('boot.loading') }),
    ),
  );
}

export function showFailure(root: HTMLElement, message: string): void {
  renew(
    root,
    h(
      'div',
      { class: 'opening', role: 'alert' },
      icon('warn'),
      h('h1', { text: t('boot.failed') }),
      h('p', { text: message }),
      h('button', {
        type: 'button',
        class: 'button',
        text: t('boot.retry'),
        on: { click: () => window.location.reload() },
      }),
    ),
  );
}
