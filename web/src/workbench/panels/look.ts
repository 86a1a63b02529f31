/** How the plan is shown: colours, strength, what of the ground, and the legend. */
import { h, renew } from '../../core/dom';
import { onLang, t } from '../../i18n';
import { extraLayers } from '../../map/extraLayers';
import { extraSection } from '../../ui/layerPanel';
import { DEVIATION, SPECIAL, UNASSIGNED } from '../canvas/colours';
import type { Look } from '../canvas/scene';
import type { Bench } from '../tools/types';

const SWITCHES = ['labels', 'units', 'streets', 'buildings', 'water'] as const;
const CLASSES = ['farBelow', 'below', 'in', 'above', 'farAbove'] as const;

export function createLook(bench: Bench): HTMLElement {
  const { ui } = bench;
  const element = h('div', { class: 'look' });
  const set = (change: Partial<Look>): void => ui.set({ look: { ...ui.get().look, ...change } });

  function legendRow(color: string | null, text: string, mark = ''): HTMLElement {
    const swatch = h('span', { class: `swatch ${mark}`, 'aria-hidden': 'true' });
    if (color) swatch.style.background = color;
    return h('li', {}, swatch, h('span', { text }));
  }

  function draw(): void {
    const { look } = ui.get();
    const radio = (by: Look['by']): HTMLElement =>
      h(
        'label',
        { class: 'pick' },
        h('input', {
          type: 'radio',
          name: 'look-by',
          id: `look-${by}`,
          checked: look.by === by,
          on: { change: () => set({ by }) },
        }),
        h('span', { text: t(`workbench.look.${by}`) }),
      );
    const slider = h('input', {
      type: 'range',
      id: 'look-opacity',
      min: '0',
      max: '1',
      step: '0.05',
      value: String(look.opacity),
    });
    slider.addEventListener('input', () => set({ opacity: Number(slider.value) }));
    const held = document.activeElement?.id ?? '';
    // a slider being dragged must not be replaced under the hand
    if (held === 'look-opacity' && document.getElementById(held)) return;
    renew(
      element,
      h(
        'fieldset',
        { class: 'picks picks-rows' },
        h('legend', { text: t('workbench.look.colour') }),
        radio('neighbours'),
        radio('deviation'),
      ),
      h(
        'label',
        { class: 'slider', for: 'look-opacity' },
        h('span', { text: t('workbench.look.opacity') }),
        slider,
      ),
      ...SWITCHES.map((key) =>
        h(
          'label',
          { class: 'switch-row' },
          h('span', { text: t(`workbench.look.${key}`) }),
          h('input', {
            type: 'checkbox',
            class: 'switch',
            id: `look-${key}`,
            checked: look[key],
            on: { change: () => set({ [key]: !ui.get().look[key] }) },
          }),
        ),
      ),
      h('h3', { text: t('workbench.look.legend') }),
      h(
        'ul',
        { class: 'legend-rows' },
        ...(look.by === 'deviation'
          ? [
              ...CLASSES.map((name, at) => legendRow(DEVIATION[at] ?? null, t(`workbench.legend.${name}`))),
              legendRow(SPECIAL, t('workbench.legend.special')),
            ]
          : []),
        legendRow(UNASSIGNED, t('workbench.legend.unassigned')),
        legendRow(null, t('workbench.legend.locked'), 'is-locked'),
        legendRow(null, t('workbench.legend.flagged'), 'is-flagged'),
      ),
    );
    if (held.startsWith('look-')) document.getElementById(held)?.focus({ preventScroll: true });
  }
  let section: ReturnType<typeof extraSection> | null = null;
  const extra = extraLayers(bench.map, () => section?.refresh());
  const more = h('div', { class: 'look-more' });
  const drawMore = (): void => {
    section = extraSection(extra);
    renew(more, section.element);
  };
  ui.on(['look'], draw);
  onLang(draw);
  onLang(() => section && drawMore());
  draw();
  // the list of layers is asked for once it may be seen
  ui.on(['panel'], ({ panel }) => {
    if (panel === 'look' && !section) drawMore();
  });
  return h('div', {}, element, more);
}
