/** The card on the left: whose the place is, how sure that is, whom to call. */

import type { App } from '../../core/app';
import { h, icon, keepFocus, renew } from '../../core/dom';
import { coordinate, distance, percent } from '../../core/format';
import { nameOf, onLang, t, tOr } from '../../i18n';
import { may, session } from '../../ui/session';
import type { DispatchState, DispatchStore, Place } from '../state';
import type { AddressMatch, Located } from '../types';
import { borderWords, gridName, levelName, metresOf, postName, shortName, word } from '../words';
import { choiceList, choicesTitle } from './choiceList';

export interface ResultActions {
  choose(code: string): void;
  copy(): void;
  create(): void;
  address(text: string): void;
  /** Take the same numbers for another coordinate system. */
  system(crs: string): void;
}

/** How the service says that the numbers would lie in a grid in another system. */
const SHIFTED = /would lie in grid (\d+): is crs=(\w+) meant/;
const SYSTEMS: Readonly<Record<string, string>> = { gcj02: 'GCJ-02', bd09: 'BD-09' };

export function createResult(
  host: HTMLElement,
  app: App,
  store: DispatchStore,
  actions: ResultActions,
): void {
  const banner = (kind: string, ...words: string[]): HTMLElement =>
    h(
      'div',
      { class: `banner banner-${kind}` },
      icon('warn'),
      h('div', {}, ...words.filter(Boolean).map((text, at) => h(at === 0 ? 'strong' : 'p', { text }))),
    );

  function owner(answer: Located): HTMLElement {
    const { responsible } = answer;
    if (!answer.owner) {
      const near = answer.nearest;
      const name = near ? gridName(app, near.code, near.name) : '';
      return h(
        'div',
        { class: 'owner-card is-outside' },
        h('p', { class: 'owner-label', text: t('dispatch.owner') }),
        h('p', { class: 'owner-big', text: t('dispatch.outside') }),
        near && h('p', { text: t('dispatch.nearestGrid', { grid: name, distance: distance(near.metres) }) }),
      );
    }
    const kind = answer.owner.kind;
    return h(
      'div',
      { class: 'owner-card' },
      h('p', {
        class: 'owner-label',
        text: `${t('dispatch.owner')} · ${tOr(`kind.${kind}`, t(kind === 'ordinary' ? 'kind.ordinary' : 'kind.special'))}`,
      }),
      h('p', { class: 'owner-big', text: gridName(app, answer.owner.code, answer.owner.name) }),
      h('code', { class: 'owner-number', text: answer.owner.code }),
      responsible?.kind === 'department' &&
        h('p', {
          class: 'owner-first',
          text: t('dispatch.department', { department: responsible.department ?? '' }),
        }),
    );
  }

  function warnings(place: Place, answer: Located, choices: DispatchState['choices']): HTMLElement[] {
    const found: HTMLElement[] = [];
    const { address } = answer;
    if (address && !address.confident && place.asked.kind === 'address') {
      found.push(banner('doubt', t('dispatch.unsureAddress', { full: address.full })));
    }
    const border = borderWords(answer, choices);
    if (border.length > 0) found.push(banner('border', ...border));
    const meant = SHIFTED.exec(answer.reason ?? '');
    if (meant) found.push(shifted(meant[1]!, meant[2]!));
    return found;
  }

  /** The commonest reason for a place outside: numbers of another system. */
  function shifted(code: string, crs: string): HTMLElement {
    const system = SYSTEMS[crs] ?? crs;
    const words = banner('doubt', t('dispatch.shiftedHint', { system, grid: gridName(app, code, null) }));
    words.lastElementChild?.append(
      h('button', {
        type: 'button',
        class: 'text-button',
        text: t('dispatch.shiftedAsk', { system }),
        on: { click: () => actions.system(crs) },
      }),
    );
    return words;
  }

  function chain(answer: Located): HTMLElement | null {
    if (answer.chain.length === 0) return null;
    return h(
      'section',
      {},
      h('h3', { text: t('dispatch.chain') }),
      h(
        'ol',
        { class: 'links' },
        ...answer.chain.map((link) =>
          h(
            'li',
            { 'data-level': link.level, 'data-code': link.code },
            h('span', { class: 'link-kind', text: levelName(link.level) }),
            h('span', {
              class: 'link-name',
              text: link.level === 'grid' ? shortName(app, link.code, link.name) : nameOf(link) || link.code,
            }),
            h('code', { text: link.code }),
          ),
        ),
      ),
    );
  }

  const posts = (answer: Located): HTMLElement | null =>
    answer.posts.length === 0
      ? null
      : h(
          'section',
          {},
          h('h3', { text: t('dispatch.posts') }),
          h(
            'ul',
            { class: 'posts' },
            ...answer.posts.map((post) =>
              h(
                'li',
                { class: post.first ? 'is-first' : '' },
                h('span', { class: 'link-kind', text: levelName(post.level) }),
                h('span', { text: postName(app, post) }),
                post.department && h('span', { class: 'muted', text: post.department }),
              ),
            ),
          ),
        );

  function professional(answer: Located): HTMLElement | null {
    const systems = Object.entries(answer.professional);
    if (systems.length === 0) return null;
    return h(
      'section',
      {},
      h('h3', { text: t('dispatch.professional') }),
      h(
        'ul',
        { class: 'posts' },
        ...systems.map(([system, grid]) =>
          h(
            'li',
            {},
            h('span', { class: 'link-kind', text: word(system) }),
            h('span', { text: grid?.name ?? t('dispatch.noProfessional') }),
            grid && h('code', { text: grid.code }),
          ),
        ),
      ),
    );
  }

  const other = (match: AddressMatch): HTMLElement =>
    h('button', {
      type: 'button',
      class: 'text-button other-address',
      text: match.full,
      on: { click: () => actions.address(match.full) },
    });

  function position(answer: Located): HTMLElement {
    const { address, component } = answer;
    const facts = [
      answer.accuracy === null ? '' : t('dispatch.accuracy', { metres: metresOf(answer.accuracy) }),
      answer.distance_to_boundary === null
        ? ''
        : t('dispatch.distance', { distance: distance(answer.distance_to_boundary) }),
      answer.outside_probability
        ? t('dispatch.outsideShare', { share: percent(answer.outside_probability) })
        : '',
    ].filter(Boolean);
    return h(
      'section',
      { class: 'position' },
      h('h3', { text: t('dispatch.position') }),
      address && h('p', {}, `${t('dispatch.addressMatched')} `, h('strong', { text: address.full })),
      address && address.others.length > 0 && !address.confident
        ? h('p', {}, `${t('dispatch.addressOthers')} `, ...address.others.slice(0, 3).map(other))
        : null,
      component &&
        h(
          'p',
          {},
          `${t('dispatch.component')} `,
          h('strong', { text: component.name }),
          ' ',
          h('code', { text: component.code }),
        ),
      h('p', {}, h('code', { text: coordinate(answer.point.lon, answer.point.lat) }), ' CGCS2000'),
      facts.length > 0 && h('p', { class: 'muted', text: facts.join(' · ') }),
    );
  }

  function body({ place, choices, target }: Readonly<DispatchState>): (HTMLElement | null)[] {
    if (!place) return [h('p', { class: 'nothing', text: t('dispatch.nothing') })];
    const { answer } = place;
    const title = place.report ? t('dispatch.placeOf', { id: place.report }) : t('dispatch.placeTyped');
    const head = h('p', { class: 'place-title', text: title });
    if (place.fault) return [head, banner('doubt', place.fault)];
    if (!answer) return [head, h('p', { class: 'muted', role: 'status', text: t('dispatch.looking') })];
    return [
      head,
      owner(answer),
      ...warnings(place, answer, choices),
      choices.length > 1 || (choices.length === 1 && !choices[0]!.owns)
        ? h('section', {}, choicesTitle(), choiceList(choices, target, actions.choose))
        : null,
      chain(answer),
      posts(answer),
      professional(answer),
      position(answer),
    ];
  }

  const scrolled = h('div', { class: 'result-body', tabindex: '0' });
  const feet = h('div', { class: 'result-feet' });
  const spoken = h('p', { class: 'unseen', role: 'status' });
  renew(host, scrolled, feet, spoken);

  /** What is read out: the owner and what is doubtful about it, not the whole card. */
  function say({ place, choices }: Readonly<DispatchState>): string {
    const answer = place?.answer;
    if (!answer) return place?.fault ?? '';
    const name = answer.owner ? gridName(app, answer.owner.code, answer.owner.name) : t('dispatch.outside');
    return [`${t('dispatch.owner')} ${name}`, ...borderWords(answer, choices)].join('. ');
  }

  function foot({ place }: Readonly<DispatchState>): void {
    const there = Boolean(place?.answer);
    const button = (
      id: string,
      key: string,
      text: string,
      primary: boolean,
      press: () => void,
    ): HTMLElement =>
      h(
        'button',
        {
          id,
          type: 'button',
          class: primary ? 'button' : 'button button-plain',
          'aria-keyshortcuts': key,
          on: { click: press },
        },
        text,
        h('kbd', { class: 'key', 'aria-hidden': 'true', text: key }),
      );
    feet.hidden = !there;
    renew(
      feet,
      button('copy-slip', 'C', t('dispatch.copy'), true, actions.copy),
      may('report') ? button('new-here', 'N', t('dispatch.newHere'), false, actions.create) : null,
    );
  }

  let shown: Place | null = null;
  function draw(): void {
    const state = store.get();
    const top = scrolled.scrollTop;
    keepFocus(scrolled, () => renew(scrolled, ...body(state)));
    scrolled.scrollTop = state.place?.asked === shown?.asked ? top : 0;
    shown = state.place;
    const words = say(state);
    if (spoken.textContent !== words) spoken.textContent = words;
    keepFocus(feet, () => foot(state));
  }
  store.on(['place', 'choices', 'target'], draw);
  session.on(['me'], draw);
  onLang(draw);
  draw();
}
