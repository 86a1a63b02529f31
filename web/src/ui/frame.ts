/** The frame of the pages beside the map: header with the ways between them, language, who works here. */

import { h, renew } from '../core/dom';
import { lang, onLang, setLang, startLang, t } from '../i18n';
import type { TextKey } from '../i18n/texts';
import { createNav, type PageName } from './nav';
import { startToasts } from './toasts';
import { createWho, readMe } from './who';

export interface Frame {
  header: HTMLElement;
  /** Between the ways and the language: for what a page wants in its header. */
  tools: HTMLElement;
  main: HTMLElement;
}

/** The button that changes the language. */
export function createLanguage(): HTMLElement {
  const button = h('button', { type: 'button', class: 'language' });
  button.addEventListener('click', () => setLang(lang() === 'zh' ? 'en' : 'zh'));
  const say = (): void => {
    button.textContent = t('app.language');
    button.title = t('app.languageLabel');
    button.setAttribute('lang', lang() === 'zh' ? 'en' : 'zh-CN');
  };
  say();
  onLang(say);
  return button;
}

/** Put the frame into `root`. `title` is the page's name; `main` is the page's own. Reads who works here. */
export async function createFrame(
  root: HTMLElement,
  current: PageName | null,
  title: TextKey,
): Promise<Frame> {
  startLang();
  startToasts(document.body);
  const main = h('main', { id: 'main', class: 'page', tabindex: '-1' });
  const heading = h('h1', { class: 'brand-name' });
  const tools = h('div', { class: 'header-tools' });
  const skip = h('a', { class: 'skip', href: '#main' });
  skip.addEventListener('click', (event) => {
    event.preventDefault();
    main.focus();
  });
  const header = h(
    'header',
    { class: 'header' },
    skip,
    h('img', { class: 'brand-mark', src: './icon.svg', alt: '', width: '28', height: '28' }),
    h('div', { class: 'brand' }, heading),
    createNav(current),
    tools,
    createWho(),
    createLanguage(),
  );
  root.classList.add('framed');
  renew(root, header, main);
  const say = (): void => {
    heading.textContent = t(title);
    document.title = t('frame.page', { title: t(title) });
    skip.textContent = t('app.skip');
  };
  say();
  onLang(say);
  await readMe();
  return { header, tools, main };
}
