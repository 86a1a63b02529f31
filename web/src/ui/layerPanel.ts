/** Below the switches of the layer panel: opacity of every layer, and any further layer of the service. */
import { h, iconButton, renew } from '../core/dom';
import { labelOf, lang, t } from '../i18n';
import { type Added, type CatalogueLayer, type ExtraLayers, legendOf, type Way } from '../map/extraLayers';
import { report } from './toasts';

/** A slider that sets how much is seen through; `name` is what it is of. */
export function opacitySlider(
  id: string,
  name: string,
  value: number,
  change: (value: number) => void,
): HTMLElement {
  const input = h('input', {
    type: 'range',
    id,
    class: 'opacity',
    min: '0',
    max: '100',
    step: '5',
    value: String(Math.round(value * 100)),
    'aria-label': t('tools.opacity', { name }),
    title: t('tools.opacity', { name }),
    on: { input: () => change(Number(input.value) / 100) },
  });
  return input;
}

const titleOf = (layer: CatalogueLayer): string => labelOf(layer.title_zh, layer.title_en) || layer.name;

function legend({ layer, way, color }: Added): HTMLElement {
  if (way === 'tiles') {
    const mark = h('span', { class: 'swatch', 'aria-hidden': 'true' });
    mark.style.backgroundColor = color;
    return h('p', { class: 'extra-legend' }, mark, h('span', { text: titleOf(layer) }));
  }
  const picture = h('img', {
    class: 'extra-picture',
    src: legendOf(layer.name, lang()),
    alt: t('tools.legendOf', { name: titleOf(layer) }),
    loading: 'lazy',
  });
  return h(
    'details',
    { class: 'extra-legend' },
    h('summary', { text: t('tools.legendOf', { name: titleOf(layer) }) }),
    picture,
  );
}

function row(entry: Added, at: number, all: number, extra: ExtraLayers): HTMLElement {
  const { layer, way, opacity, on, from } = entry;
  const name = titleOf(layer);
  const id = `extra-${layer.name}`;
  const input = h('input', {
    type: 'checkbox',
    role: 'switch',
    id,
    class: 'switch',
    'aria-label': t('tools.show', { name }),
    on: { change: () => extra.change(layer.name, { on: input.checked }) },
  });
  input.checked = on;
  const mover = (step: -1 | 1): HTMLElement => {
    const up = step === -1;
    const button = iconButton(up ? 'up' : 'down', t(up ? 'tools.up' : 'tools.downwards', { name }), () =>
      extra.move(layer.name, step),
    );
    button.id = `${id}-${up ? 'up' : 'down'}`;
    button.disabled = up ? at === 0 : at === all - 1;
    return button;
  };
  return h(
    'li',
    { class: 'extra-row' },
    h(
      'div',
      { class: 'extra-head' },
      h(
        'label',
        { for: id, class: 'layer-name' },
        h('span', { text: name }),
        h('small', { text: t(`tools.${way}`) + (from > 12 ? ` · ${t('tools.near')}` : '') }),
      ),
      mover(-1),
      mover(1),
      iconButton('close', t('tools.remove', { name }), () => extra.remove(layer.name)),
      input,
    ),
    opacitySlider(`${id}-opacity`, name, opacity, (value) => extra.change(layer.name, { opacity: value })),
    legend(entry),
  );
}

/** The section "More layers". Returns it, and what draws its list anew. */
export function extraSection(extra: ExtraLayers): { element: HTMLElement; refresh: () => void } {
  const which = h('select', { id: 'extra-layer', class: 'field', 'aria-label': t('tools.layer') });
  const how = h(
    'select',
    { id: 'extra-way', class: 'field', 'aria-label': t('tools.way') },
    h('option', { value: 'wms', text: t('tools.wms') }),
    h('option', { value: 'tiles', text: t('tools.tiles') }),
  );
  const add = h('button', { type: 'button', class: 'button', disabled: true, text: t('tools.add') });
  const list = h('ul', { class: 'extra-list' });
  let layers: CatalogueLayer[] = [];
  let drawn = '';

  function offer(): void {
    const taken = new Set(extra.list().map(({ layer }) => layer.name));
    const groups = new Map<string, CatalogueLayer[]>();
    for (const layer of layers) {
      if (taken.has(layer.name)) continue;
      const group = layer.group ?? '';
      groups.set(group, [...(groups.get(group) ?? []), layer]);
    }
    const options = [...groups].map(([group, entries]) => {
      const made = entries.map((layer) => h('option', { value: layer.name, text: titleOf(layer) }));
      const head = layers.find(({ name }) => name === group);
      return group === '' ? made : [h('optgroup', { label: head ? titleOf(head) : group }, ...made)];
    });
    renew(which, h('option', { value: '', text: t('tools.choose') }), ...options.flat());
    choose();
  }
  function choose(): void {
    const layer = layers.find(({ name }) => name === which.value);
    add.disabled = !layer;
    const tiles = how.options[1];
    if (tiles) tiles.disabled = layer?.picture_only ?? false;
    if (layer?.picture_only) how.value = 'wms';
  }
  which.addEventListener('change', choose);
  add.addEventListener('click', () => {
    const layer = layers.find(({ name }) => name === which.value);
    if (layer) void extra.add(layer, how.value as Way).catch(report);
  });
  function refresh(): void {
    const now = extra
      .list()
      .map(({ layer }) => layer.name)
      .join();
    if (now === drawn) return; // a slider moved: its own element shows it
    drawn = now;
    const held = document.activeElement?.id ?? '';
    renew(list, ...extra.list().map((entry, at, all) => row(entry, at, all.length, extra)));
    offer();
    if (held.startsWith('extra-')) document.getElementById(held)?.focus();
  }
  extra.offered().then((found) => {
    layers = found;
    offer();
  }, report);
  renew(list, ...extra.list().map((entry, at, all) => row(entry, at, all.length, extra)));
  drawn = extra
    .list()
    .map(({ layer }) => layer.name)
    .join();
  const element = h(
    'section',
    { class: 'group extra' },
    h('h2', { text: t('tools.more') }),
    h('p', { class: 'extra-hint', text: t('tools.moreHint') }),
    h('div', { class: 'extra-form' }, which, how, add),
    list,
  );
  return { element, refresh };
}
