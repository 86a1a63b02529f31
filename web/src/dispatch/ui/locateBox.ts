/** The big input: what is typed or pasted is located at Enter; addresses are suggested on the way. */

import { isAbort } from '../../core/client';
import { h, icon, iconButton, renew } from '../../core/dom';
import { onLang, t } from '../../i18n';
import { type Asked, readAsked } from '../asked';
import * as service from '../service';
import type { Suggestion } from '../types';

const WAIT_MS = 160;

export interface LocateBox {
  element: HTMLElement;
  focus(): void;
  /** Forget what was typed: another place is shown. */
  clear(): void;
}

export function createLocateBox(locate: (asked: Asked) => void): LocateBox {
  let found: Suggestion[] = [];
  let active = -1;
  let timer: number | undefined;
  let running: AbortController | null = null;

  const input = h('input', {
    id: 'ask',
    class: 'ask-input',
    type: 'text',
    role: 'combobox',
    autocomplete: 'off',
    spellcheck: 'false',
    enterkeyhint: 'search',
    'aria-controls': 'ask-list',
    'aria-autocomplete': 'list',
    'aria-expanded': 'false',
    'aria-describedby': 'ask-hint',
    'aria-keyshortcuts': '/',
  });
  const list = h('ul', { id: 'ask-list', class: 'ask-list card', role: 'listbox', hidden: true });
  const hint = h('p', { id: 'ask-hint', class: 'ask-hint' });
  const label = h('label', { for: 'ask', class: 'ask-label' });
  const go = iconButton('search', '', () => submit(), 'ask-go');
  const box = h(
    'div',
    { class: 'ask-box' },
    input,
    h('kbd', { class: 'ask-key', text: '/', 'aria-hidden': 'true' }),
    go,
    list,
  );
  const element = h('div', { class: 'ask', role: 'search' }, label, box, hint);

  function draw(): void {
    const open = found.length > 0;
    list.hidden = !open;
    input.setAttribute('aria-expanded', String(open));
    if (active >= 0) input.setAttribute('aria-activedescendant', `ask-choice-${active}`);
    else input.removeAttribute('aria-activedescendant');
    renew(
      list,
      ...found.map((entry, at) =>
        h(
          'li',
          {
            id: `ask-choice-${at}`,
            class: 'ask-choice',
            role: 'option',
            'aria-selected': String(at === active),
            on: {
              pointerdown: (event) => {
                event.preventDefault(); // keeps the focus until the choice is taken
                active = at;
                submit();
              },
            },
          },
          icon('target'),
          h('span', { text: entry.text }),
        ),
      ),
    );
  }

  function shut(): void {
    window.clearTimeout(timer);
    running?.abort();
    found = [];
    active = -1;
    draw();
  }

  function submit(): void {
    const chosen = found[active];
    if (chosen) input.value = chosen.text;
    shut();
    const asked = readAsked(input.value);
    if (asked.kind === 'empty') input.focus();
    else {
      input.blur(); // the page's keys work again: digits choose, R reassigns
      locate(asked);
    }
  }

  async function look(): Promise<void> {
    running?.abort();
    const asked = readAsked(input.value);
    if (asked.kind !== 'address') {
      shut();
      return;
    }
    const mine = new AbortController();
    running = mine;
    try {
      const suggestions = await service.suggest(asked.text, mine.signal);
      if (mine.signal.aborted || document.activeElement !== input) return;
      found = suggestions;
      active = -1; // Enter takes what is typed; the arrow keys take a suggestion
      draw();
    } catch (error) {
      // suggestions are a help only: without addresses the page works on
      if (!isAbort(error)) shut();
    }
  }

  input.addEventListener('input', () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void look(), WAIT_MS);
  });
  input.addEventListener('blur', shut);
  input.addEventListener('keydown', (event) => {
    if (event.isComposing) return; // Enter ends an input method's word
    if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && found.length > 0) {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      active = active < 0 ? (step > 0 ? 0 : found.length - 1) : (active + step + found.length) % found.length;
      draw();
    } else if (event.key === 'Enter') {
      event.preventDefault();
      submit();
    } else if (event.key === 'Escape') {
      event.stopPropagation();
      if (found.length > 0) shut();
      else input.blur();
    }
  });

  const say = (): void => {
    label.textContent = t('dispatch.ask');
    input.placeholder = t('dispatch.askPlaceholder');
    hint.textContent = t('dispatch.askHint');
    list.setAttribute('aria-label', t('dispatch.suggestions'));
    go.setAttribute('aria-label', t('dispatch.locate'));
    go.title = t('dispatch.locate');
  };
  say();
  onLang(say);
  return {
    element,
    focus() {
      input.focus();
      input.select();
    },
    clear() {
      input.value = '';
    },
  };
}
