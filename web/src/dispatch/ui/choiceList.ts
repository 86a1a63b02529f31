/** The grids a place may belong to, as one choice of several. */

import { h } from '../../core/dom';
import { t } from '../../i18n';
import { bar } from '../../ui/parts';
import type { Choice } from '../choices';
import { choiceNote } from '../words';

/** Most grids that have a number key. */
export const NUMBERED = 9;

export function choiceList(
  choices: readonly Choice[],
  target: string | null,
  choose: (code: string) => void,
): HTMLElement {
  return h(
    'div',
    { class: 'choice-list', role: 'radiogroup', 'aria-labelledby': 'choices-title' },
    ...choices.map((choice, at) => {
      const id = `choice-${choice.code}`;
      const input = h('input', {
        type: 'radio',
        name: 'target',
        id,
        value: choice.code,
        class: 'unseen',
        on: { change: () => choose(choice.code) },
      });
      input.checked = choice.code === target;
      const kinds = ['choice-row', choice.owns && 'is-owner', choice.system && 'is-professional'];
      return h(
        'label',
        { class: kinds.filter(Boolean).join(' '), for: id, 'data-code': choice.code },
        input,
        h('kbd', { class: 'choice-key', 'aria-hidden': 'true', text: at < NUMBERED ? String(at + 1) : '·' }),
        h(
          'span',
          { class: 'choice-words' },
          h('strong', { text: choice.name }),
          h('span', { class: 'choice-note', text: choiceNote(choice) }),
        ),
        choice.probability === null ? null : bar(choice.probability),
      );
    }),
  );
}

export const choicesTitle = (): HTMLElement =>
  h(
    'h3',
    { id: 'choices-title' },
    t('dispatch.choices'),
    h('span', { class: 'aside', text: t('dispatch.choicesHint') }),
  );
