/** Layer switches and the facility picker. */
import type { App, LayerKey } from '../core/app';
import { h, renew } from '../core/dom';
import { number } from '../core/format';
import type { FacilityCategory } from '../core/types';
import { labelOf, t } from '../i18n';
import { glyphElement } from '../map/facilities';
import type { Tab } from './side';

const GROUPS: readonly {
  title: 'layers.theme' | 'layers.points' | 'layers.base';
  keys: readonly LayerKey[];
}[] = [
  { title: 'layers.theme', keys: ['grids', 'labels', 'areas'] },
  { title: 'layers.points', keys: ['components', 'facilities'] },
  { title: 'layers.base', keys: ['streets', 'water', 'buildings'] },
];

/** Categories of each tier, the nearest circle first. */
export function byTier(categories: readonly FacilityCategory[]): [number, FacilityCategory[]][] {
  const tiers = new Map<number, FacilityCategory[]>();
  for (const category of categories) {
    const minutes = Number(category.minutes);
    const tier = tiers.get(minutes);
    if (tier) tier.push(category);
    else tiers.set(minutes, [category]);
  }
  return [...tiers].sort(([a], [b]) => a - b);
}

/** What tools add to the tab: above the switches, beside one, below them. */
export interface TabExtras {
  head: () => HTMLElement[];
  slider: (key: LayerKey) => HTMLElement;
  below: () => HTMLElement[];
}

export function layersTab(app: App, extras?: TabExtras): Tab {
  const { store, catalog } = app;
  const { counts } = catalog.overview;
  const amounts: Partial<Record<LayerKey, number>> = {
    grids: counts.grids,
    components: counts.components,
    facilities: counts.facilities,
    streets: counts.streets,
    buildings: counts.buildings,
  };
  const switches = new Map<LayerKey, HTMLInputElement>();
  const chips = new Map<string, HTMLButtonElement>();
  let picker: HTMLElement | null = null;
  let chosen: HTMLElement | null = null;

  function turn(key: LayerKey, on: boolean): void {
    const { layers, facilities } = store.get();
    // A first look at the facilities shows them all rather than nothing.
    const all = key === 'facilities' && on && facilities.size === 0;
    store.set({
      layers: { ...layers, [key]: on },
      ...(all ? { facilities: new Set(catalog.categories.map(({ category }) => category)) } : {}),
    });
  }

  function row(key: LayerKey): HTMLElement {
    const id = `layer-${key}`;
    const input = h('input', {
      type: 'checkbox',
      role: 'switch',
      id,
      class: 'switch',
      on: { change: () => turn(key, input.checked) },
    });
    switches.set(key, input);
    const amount = amounts[key];
    const hint =
      key === 'buildings'
        ? t('layers.buildingsHint')
        : key === 'components'
          ? t('layers.componentsHint')
          : null;
    return h(
      'div',
      { class: 'layer-row' },
      h(
        'label',
        { for: id, class: 'layer-name' },
        h('span', { text: t(`layer.${key}`) }),
        hint && h('small', { text: hint }),
      ),
      amount !== undefined && h('span', { class: 'amount', text: number(amount) }),
      input,
      extras?.slider(key),
    );
  }

  function chip(category: FacilityCategory): HTMLElement {
    const button = h(
      'button',
      {
        type: 'button',
        class: 'chip',
        on: {
          click: () => {
            const next = new Set(store.get().facilities);
            if (!next.delete(category.category)) next.add(category.category);
            store.set({ facilities: next });
          },
        },
      },
      glyphElement(category),
      h('span', { class: 'chip-name', text: labelOf(category.name_zh, category.name_en) }),
      h('span', { class: 'chip-count', text: number(category.count) }),
    );
    chips.set(category.category, button);
    return button;
  }

  function facilityPicker(): HTMLElement {
    const every = (): Set<string> => new Set(catalog.categories.map(({ category }) => category));
    chosen = h('span', { class: 'muted' });
    const button = (text: string, choose: () => Set<string>): HTMLElement =>
      h('button', {
        type: 'button',
        class: 'text-button',
        text,
        on: { click: () => store.set({ facilities: choose() }) },
      });
    return h(
      'div',
      { class: 'picker' },
      h(
        'div',
        { class: 'picker-head' },
        chosen,
        button(t('facilities.all'), every),
        button(t('facilities.none'), () => new Set()),
      ),
      ...byTier(catalog.categories).map(([minutes, categories]) =>
        h(
          'div',
          { class: 'tier', role: 'group', 'aria-label': t('facilities.tier', { minutes }) },
          h('h3', { text: t('facilities.tier', { minutes }) }),
          h('div', { class: 'chips' }, ...categories.map(chip)),
        ),
      ),
    );
  }

  function sync(): void {
    const { layers, facilities } = store.get();
    for (const [key, input] of switches) input.checked = layers[key];
    for (const [category, button] of chips) {
      button.setAttribute('aria-pressed', String(facilities.has(category)));
    }
    if (picker) picker.hidden = !layers.facilities;
    if (chosen) chosen.textContent = t('facilities.chosen', { count: facilities.size });
  }
  store.on(['layers', 'facilities'], sync);

  return {
    key: 'layers',
    icon: 'layers',
    label: 'panel.layers',
    render(body) {
      switches.clear();
      chips.clear();
      picker = facilityPicker();
      const groups = GROUPS.map(({ title, keys }) =>
        h(
          'section',
          { class: 'group' },
          h('h2', { text: t(title) }),
          ...keys.map(row),
          keys.includes('facilities') && picker,
        ),
      );
      renew(body, ...(extras?.head() ?? []), ...groups, ...(extras?.below() ?? []));
      sync();
    },
  };
}
