/** The search box: codes, names, addresses, coordinates; a combobox that works from the keyboard alone. */
import type { App } from '../core/app';
import { h, icon, iconButton, renew } from '../core/dom';
import { gridTitle } from '../core/names';
import { findEntries, type Hit, parseQuery } from '../core/query';
import { findAddresses } from '../core/addresses';
import type { LonLat } from '../core/types';
import { nameOf, onLang, t, tOr } from '../i18n';

export interface SearchActions {
  grid: (code: string) => void;
  area: (code: string) => void;
  place: (point: LonLat, crs: string) => void;
  component: (code: string) => void;
}

const TYPING_MS = 220;

interface Choice {
  title: string;
  note: string;
  run: () => void;
}

export interface Search {
  focus(): void;
}

/** What is found without asking the service, and whether it has addresses to ask for. */
export interface Known {
  entries: () => Hit[];
  addresses: boolean;
}

/** Areas and grids in force. */
export const knownOf = ({ catalog }: App): Known => ({
  entries() {
    const areas = catalog.areas.features.map(({ properties }) => ({
      code: properties.code,
      name: nameOf(properties),
      level: properties.level,
    }));
    const grids = catalog.grids.features.map(({ properties }) => ({
      code: properties.code,
      name: gridTitle(catalog, properties.code, properties.name),
      level: 'grid',
    }));
    return [...areas, ...grids];
  },
  addresses: Boolean(catalog.overview.counts.addresses),
});

/** Fill the search area of the header. */
export function createSearch(host: HTMLElement, known: Known, actions: SearchActions): Search {
  let choices: Choice[] = [];
  let active = -1;
  let waiting = 0;
  let asked: AbortController | null = null;
  /** Whether the service is still looking for addresses. */
  let looking = false;

  const input = h('input', {
    id: 'search',
    class: 'search-input',
    type: 'text',
    role: 'combobox',
    autocomplete: 'off',
    spellcheck: 'false',
    enterkeyhint: 'search',
    'aria-controls': 'search-list',
    'aria-autocomplete': 'list',
    'aria-expanded': 'false',
  });
  const list = h('ul', { id: 'search-list', class: 'search-list card', role: 'listbox', hidden: true });
  const none = h('p', { class: 'search-list search-none card', role: 'status', hidden: true });
  const key = h('kbd', { class: 'search-key', text: '/', 'aria-hidden': 'true' });
  const clear = iconButton(
    'close',
    t('search.clear'),
    () => {
      input.value = '';
      look();
      input.focus();
    },
    'search-clear',
  );
  renew(host, icon('search'), input, key, clear, list, none);

  function choicesFor(typed: string): Choice[] {
    const query = parseQuery(typed);
    if (query.kind === 'empty') return [];
    if (query.kind === 'point') {
      const [lon, lat] = query.point;
      const title = t('search.point', { lon, lat, crs: query.crs });
      return [{ title, note: '', run: () => actions.place(query.point, query.crs) }];
    }
    const found = findEntries(known.entries(), query.kind === 'text' ? query.text : query.code).map(
      (hit) => ({
        title: hit.name,
        note: `${tOr(`level.${hit.level}`, '')} ${hit.code}`,
        run: () => (hit.level === 'grid' ? actions.grid(hit.code) : actions.area(hit.code)),
      }),
    );
    if (
      query.kind === 'component' ||
      (query.kind === 'code' && query.code.length > 9 && found.length === 0)
    ) {
      const title = t('search.component', { code: query.code });
      found.push({ title, note: '', run: () => actions.component(query.code) });
    }
    return found;
  }

  function draw(): void {
    const open = choices.length > 0;
    list.hidden = !open;
    none.hidden = open || looking || input.value.trim() === '' || document.activeElement !== input;
    none.textContent = t('search.none', { text: input.value.trim() });
    input.setAttribute('aria-expanded', String(open));
    if (active >= 0) input.setAttribute('aria-activedescendant', `search-choice-${active}`);
    else input.removeAttribute('aria-activedescendant');
    renew(
      list,
      ...choices.map((choice, at) =>
        h(
          'li',
          {
            id: `search-choice-${at}`,
            class: 'search-choice',
            role: 'option',
            'aria-selected': String(at === active),
            on: {
              pointerdown: (event) => {
                event.preventDefault(); // keeps the focus until the choice has run
                run(at);
              },
            },
          },
          h('span', { text: choice.title }),
          choice.note !== '' && h('code', { text: choice.note }),
        ),
      ),
    );
  }

  /** Addresses come from the service, a moment after the typing; they stand behind what is known already. */
  function askAddresses(): void {
    window.clearTimeout(waiting);
    asked?.abort();
    looking = false;
    const query = parseQuery(input.value);
    // two letters at least, and addresses must have been imported
    if (query.kind !== 'text' || query.text.length < 2 || !known.addresses) return;
    const mine = (asked = new AbortController());
    looking = true;
    waiting = window.setTimeout(() => {
      findAddresses(query.text, mine.signal).then(
        (found) => {
          if (mine.signal.aborted || document.activeElement !== input) return;
          looking = false;
          const listed = new Set(choices.map(({ title }) => title));
          const more = found.filter(({ title }) => !listed.has(title));
          choices.push(
            ...more.map(({ title, kind, point, grid }) => ({
              title,
              note: [tOr(`tools.${kind}`, t('tools.address')), grid].filter((part) => part).join(' '),
              run: () => actions.place(point, 'cgcs2000'),
            })),
          );
          if (active < 0 && choices.length > 0) active = 0;
          draw();
        },
        () => {
          // the rest of the search goes on without them
          if (mine.signal.aborted) return;
          looking = false;
          draw();
        },
      );
    }, TYPING_MS);
  }

  function look(): void {
    choices = choicesFor(input.value);
    active = choices.length > 0 ? 0 : -1;
    host.classList.toggle('has-text', input.value !== '');
    askAddresses();
    draw();
  }

  function shut(): void {
    window.clearTimeout(waiting);
    asked?.abort();
    choices = [];
    active = -1;
    draw();
    none.hidden = true;
  }

  function run(at: number): void {
    const choice = choices[at];
    if (!choice) return;
    shut();
    input.blur();
    choice.run();
  }

  input.addEventListener('input', look);
  input.addEventListener('focus', look);
  input.addEventListener('blur', shut);
  input.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      if (choices.length > 0) active = (active + step + choices.length) % choices.length;
      draw();
    } else if (event.key === 'Enter') {
      event.preventDefault();
      run(active);
    } else if (event.key === 'Escape') {
      event.stopPropagation();
      if (choices.length > 0 || !none.hidden) shut();
      else input.blur();
    }
  });

  const say = (): void => {
    input.placeholder = t('search.placeholder');
    input.setAttribute('aria-label', t('search.label'));
    list.setAttribute('aria-label', t('search.results'));
    clear.setAttribute('aria-label', t('search.clear'));
    clear.title = t('search.clear');
  };
  say();
  onLang(say);
  return {
    focus() {
      input.focus();
      input.select();
    },
  };
}
