/** Small pieces more than one card is made of. */
import { h } from '../core/dom';
import { percent } from '../core/format';

const width = (value: number | null): string => `${Math.round((value ?? 0) * 1000) / 10}%`;

/** A bar as long as a share. */
export function bar(value: number | null, kind = ''): HTMLElement {
  const filled = h('span', { class: `meter-fill ${kind}`.trim() });
  filled.style.width = width(value);
  return h('span', { class: 'meter' }, filled);
}

/** A share in words, as a bar and as a figure. */
export function meter(value: number | null, label: string, kind = ''): HTMLElement[] {
  return [
    h('span', { class: 'meter-label', text: label }),
    bar(value, kind),
    h('span', { class: 'meter-value', text: value === null ? '–' : percent(value) }),
  ];
}

export interface Option<V extends string> {
  value: V;
  label: string;
  /** Said of an option that is not like the others. */
  note?: string;
}

/** One choice of a few, side by side; the arrow keys go through them. */
export function choices<V extends string>(
  name: string,
  label: string,
  options: readonly Option<V>[],
  chosen: V,
  choose: (value: V) => void,
): HTMLElement {
  return h(
    'div',
    { class: 'choices', role: 'radiogroup', 'aria-label': label },
    ...options.map(({ value, label: text, note }) => {
      const input = h('input', {
        type: 'radio',
        name,
        id: `${name}-${value}`,
        value,
        on: { change: () => choose(value) },
      });
      input.checked = value === chosen;
      return h(
        'label',
        { class: note ? 'choice choice-noted' : 'choice', title: note ?? null },
        input,
        h('span', { text }),
        note && h('span', { class: 'unseen', text: `（${note}）` }),
      );
    }),
  );
}

/** A switch with its name before it. */
export function switchRow(id: string, label: string, on: boolean, turn: (on: boolean) => void): HTMLElement {
  const input = h('input', {
    type: 'checkbox',
    id,
    role: 'switch',
    class: 'switch',
    on: { change: () => turn(input.checked) },
  });
  input.checked = on;
  return h('div', { class: 'layer-row' }, h('label', { for: id, class: 'layer-name', text: label }), input);
}
