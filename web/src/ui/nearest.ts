/** The nearest facility of each kind from the place selected, with the way to it: a section of the card. */
import type { App } from '../core/app';
import { h, icon, keepFocus, renew } from '../core/dom';
import { distance, number } from '../core/format';
import type { Reaching } from '../core/reaching';
import { nearestByTier, wholeMinutes } from '../core/shares';
import type { NearestAnswer, NearestRow } from '../core/types';
import { labelOf, nameOf, onLang, t } from '../i18n';
import { glyphElement } from '../map/facilities';

/** Make the section; it follows the nearest facilities and the way chosen in the state. */
export function nearestSection(
  app: App,
  reaching: Reaching,
  zoomToWay: (category: string) => void,
): HTMLElement {
  const { store, catalog } = app;
  const element = h('section', { class: 'nearest' });

  function verdict({ covered, minutes }: NearestRow): HTMLElement {
    const [name, words] =
      covered === null
        ? (['minus', t('nearest.unknown')] as const)
        : covered
          ? (['check', t('nearest.covered', { minutes })] as const)
          : (['close', t('nearest.blind', { minutes })] as const);
    const kind = covered === null ? 'unknown' : covered ? 'covered' : 'blind';
    return h(
      'span',
      { class: `verdict verdict-${kind}`, title: words },
      icon(name),
      h('span', { class: 'unseen', text: words }),
    );
  }

  function line(row: NearestRow): HTMLElement {
    const { category, facility, seconds, metres } = row;
    const known = catalog.categories.find((entry) => entry.category === category);
    const kind = labelOf(row.name_zh, row.name_en) || category;
    const under = (on: boolean) => () => store.set({ wayUnder: on && facility ? category : null });
    const choose = (): void => {
      const now = store.get().way === category ? null : category;
      store.set({ way: now });
      if (now) zoomToWay(now);
    };
    return h(
      'li',
      {},
      h(
        'button',
        {
          type: 'button',
          id: `nearest-${category}`,
          class: 'near-row',
          'data-category': category,
          'data-metres': metres,
          'data-seconds': seconds,
          'aria-pressed': String(store.get().way === category),
          disabled: facility === null,
          on: {
            click: choose,
            pointerenter: under(true),
            pointerleave: under(false),
            focus: under(true),
            blur: under(false),
          },
        },
        known ? glyphElement(known) : h('span'),
        h('span', { class: 'near-kind', text: kind }),
        h('span', {
          class: 'near-name',
          text: facility ? nameOf(facility) || facility.facility_id : t('nearest.nothing'),
        }),
        h('span', {
          class: 'near-minutes',
          text: seconds === null ? '–' : t('unit.minutes', { count: number(wholeMinutes(seconds)) }),
        }),
        h('span', { class: 'near-metres', text: metres === null ? '' : distance(metres) }),
        verdict(row),
      ),
    );
  }

  function mover({ profile, metres_per_second: speed, factor }: NearestAnswer): string {
    const name = t(`profile.${profile}`);
    if (speed !== null)
      return t('nearest.mover', { profile: name, speed: number(Math.round(speed * 100) / 100) });
    return factor === 1 ? name : t('nearest.moverFactor', { profile: name, factor: number(factor) });
  }

  function list(answer: NearestAnswer): HTMLElement[] {
    const covered = answer.nearest.filter((row) => row.covered).length;
    return [
      h('p', {
        class: 'muted',
        text: `${mover(answer)} · ${t('nearest.count', { covered, total: answer.nearest.length })}`,
      }),
      rangesButton(),
      ...nearestByTier(answer.nearest).map(([minutes, rows]) =>
        h(
          'div',
          { class: 'near-tier' },
          h('h4', { text: t('facilities.tier', { minutes }) }),
          h('ol', {}, ...rows.map(line)),
        ),
      ),
    ];
  }

  function rangesButton(): HTMLElement {
    const { ranges } = store.get();
    return h('button', {
      type: 'button',
      id: 'ranges',
      class: 'button button-quiet',
      'aria-pressed': String(ranges !== null && ranges.facility === null),
      text: t('nearest.ranges'),
      on: { click: () => void reaching.ranges() },
    });
  }

  function body(): (HTMLElement | false)[] {
    const { reach, selection } = store.get();
    const title = h('h3', {
      text: t(selection?.building == null ? 'nearest.title' : 'nearest.titleBuilding'),
    });
    if (!reach) {
      const ask = h('button', {
        type: 'button',
        id: 'ask-nearest',
        class: 'button button-quiet',
        text: t('nearest.ask'),
        on: { click: () => reaching.nearest() },
      });
      return [title, ask];
    }
    const { answer } = reach;
    if (!answer) {
      return [title, h('div', { class: 'skeleton', 'aria-hidden': 'true' }, h('span'), h('span'), h('span'))];
    }
    if (!answer.place.assessable) return [title, h('p', { class: 'note', text: t('nearest.offStreets') })];
    return [
      title,
      !answer.place.inside && h('p', { class: 'note', text: t('nearest.outside') }),
      ...list(answer),
    ];
  }

  const draw = (): void => keepFocus(element, () => renew(element, ...body()));
  store.on(['reach', 'selection'], draw);
  const press = (): void => {
    const { way, ranges } = store.get();
    for (const row of element.querySelectorAll<HTMLElement>('.near-row')) {
      row.setAttribute('aria-pressed', String(row.dataset.category === way));
    }
    const pressed = ranges !== null && ranges.facility === null;
    element.querySelector('#ranges')?.setAttribute('aria-pressed', String(pressed));
  };
  store.on(['way', 'ranges'], press);
  onLang(draw);
  draw();
  return element;
}
