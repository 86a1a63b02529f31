/** The panel on the right: live numbers above, then tabs of grids, problems, history, display. */
import { h, icon, renew } from '../../core/dom';
import { onLang, t } from '../../i18n';
import type { Bench, PanelName } from '../tools/types';

const TABS: readonly PanelName[] = ['grids', 'problems', 'history', 'look'];

interface Parts {
  now: HTMLElement;
  summary: HTMLElement;
  panels: Readonly<Record<PanelName, HTMLElement>>;
  onCount: (listener: (count: number) => void) => void;
}

export function createSide(bench: Bench, { now, summary, panels, onCount }: Parts): HTMLElement {
  const { ui } = bench;
  const tabs = h('div', { class: 'tabs', role: 'tablist' });
  const hide = h('button', { type: 'button', class: 'icon-button side-hide' }, icon('right'));
  const show = h('button', { type: 'button', class: 'icon-button side-show over-map' }, icon('left'));
  const bodies = TABS.map((name) =>
    h(
      'div',
      { class: 'tab-body', role: 'tabpanel', id: `tab-${name}`, 'aria-labelledby': `tab-button-${name}` },
      panels[name],
    ),
  );
  let problems = 0;
  const side = h('aside', { class: 'work-side' }, hide, now, summary, tabs, ...bodies);

  function draw(): void {
    const { panel, panelOpen } = ui.get();
    const held = document.activeElement?.id ?? '';
    side.setAttribute('aria-label', t('workbench.panel'));
    tabs.setAttribute('aria-label', t('workbench.panel'));
    hide.setAttribute('aria-label', t('workbench.hidePanel'));
    hide.title = t('workbench.hidePanel');
    show.setAttribute('aria-label', t('workbench.showPanel'));
    show.title = t('workbench.showPanel');
    side.hidden = !panelOpen;
    show.hidden = panelOpen;
    renew(
      tabs,
      ...TABS.map((name) =>
        h(
          'button',
          {
            type: 'button',
            role: 'tab',
            id: `tab-button-${name}`,
            class: 'tab',
            'aria-selected': name === panel ? 'true' : 'false',
            'aria-controls': `tab-${name}`,
            tabindex: name === panel ? '0' : '-1',
            on: { click: () => ui.set({ panel: name }) },
          },
          t(`workbench.panel.${name}`),
          name === 'problems' && problems > 0 && h('span', { class: 'badge', text: String(problems) }),
        ),
      ),
    );
    bodies.forEach((body, at) => {
      body.hidden = TABS[at] !== panel;
    });
    if (held.startsWith('tab-button-')) document.getElementById(`tab-button-${panel}`)?.focus();
  }
  tabs.addEventListener('keydown', (event) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (!step) return;
    const next = TABS[(TABS.indexOf(ui.get().panel) + step + TABS.length) % TABS.length];
    if (next) ui.set({ panel: next });
  });
  const fold = (panelOpen: boolean): void => {
    ui.set({ panelOpen });
    requestAnimationFrame(() => bench.map.updateSize());
  };
  hide.addEventListener('click', () => fold(false));
  show.addEventListener('click', () => fold(true));
  onCount((count) => {
    if (count === problems) return;
    problems = count;
    draw();
  });
  ui.on(['panel', 'panelOpen'], draw);
  onLang(draw);
  draw();
  const host = h('div', { class: 'work-side-host' }, side, show);
  return host;
}
