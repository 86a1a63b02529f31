/** The card on the left: a tab for layers, one for service circles, those of the analyst. */
import type { App, PanelKey } from '../core/app';
import { fill, h, type IconName, icon, iconButton, renew } from '../core/dom';
import { onLang, t } from '../i18n';
import type { TextKey } from '../i18n/texts';

export interface Tab {
  key: PanelKey;
  icon: IconName;
  label: TextKey;
  /** Fill the tab's body; called again after a change of language. */
  render(body: HTMLElement): void;
}

/** Build the tabs in `side`. */
export function createSide(side: HTMLElement, app: App, tabs: readonly Tab[]): void {
  const { store } = app;
  const bodies = new Map<PanelKey, HTMLElement>();
  const buttons = new Map<PanelKey, HTMLButtonElement>();
  const opener = h('button', { type: 'button', class: 'side-open card' });
  const openerName = h('span');
  side.after(opener);
  opener.addEventListener('click', () => {
    store.set({ panelOpen: true });
    buttons.get(store.get().panel)?.focus();
  });

  function show(): void {
    const { panel, panelOpen } = store.get();
    side.hidden = !panelOpen;
    openerName.textContent = t(`panel.${panel}`);
    opener.hidden = panelOpen;
    for (const [key, button] of buttons) {
      button.setAttribute('aria-selected', String(key === panel));
      button.tabIndex = key === panel ? 0 : -1;
      const body = bodies.get(key);
      if (body) body.hidden = key !== panel;
    }
  }

  function turn(event: KeyboardEvent): void {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    const at = tabs.findIndex(({ key }) => key === store.get().panel);
    const next = tabs[(at + step + tabs.length) % tabs.length];
    if (!next) return;
    store.set({ panel: next.key });
    buttons.get(next.key)?.focus();
  }

  function build(): void {
    const list = h('div', {
      class: 'tabs',
      role: 'tablist',
      'aria-label': t('panel.tabs'),
      on: { keydown: turn },
    });
    const content = h('div', { class: 'side-bodies' });
    for (const tab of tabs) {
      const button = h(
        'button',
        {
          type: 'button',
          role: 'tab',
          id: `tab-${tab.key}`,
          class: 'tab',
          'aria-controls': `panel-${tab.key}`,
          on: { click: () => store.set({ panel: tab.key }) },
        },
        icon(tab.icon),
        t(tab.label),
      );
      const body = h('div', {
        id: `panel-${tab.key}`,
        class: 'side-body',
        role: 'tabpanel',
        'aria-labelledby': `tab-${tab.key}`,
      });
      tab.render(body);
      buttons.set(tab.key, button);
      bodies.set(tab.key, body);
      list.append(button);
      content.append(body);
    }
    const hide = iconButton('left', t('panel.hide'), () => {
      store.set({ panelOpen: false });
      opener.focus();
    });
    renew(side, h('div', { class: 'side-head' }, list, hide), content);
    renew(opener, icon('layers'));
    fill(opener, openerName);
    opener.title = t('panel.show');
    show();
  }
  store.on(['panel', 'panelOpen'], show);
  onLang(build);
  build();
}
