/** Who owns the place asked about: chain, figures, reach. */
import { type App, circlesOn } from '../core/app';
import { h, icon, iconButton, keepFocus, renew } from '../core/dom';
import { coordinate, distance, number, percent } from '../core/format';
import { gridTitle, shortNameIn } from '../core/names';
import type { ChainLink, GridCircle, GridDetailProperties, LocateAnswer } from '../core/types';
import { labelOf, nameOf, onLang, t, tOr } from '../i18n';
import { glyphElement } from '../map/facilities';
import { isSpecial } from '../map/grids';
import { toast } from './toasts';

export interface DetailsActions {
  close: () => void;
  zoomTo: (code: string) => void;
  goTo: (code: string) => void;
  category: (category: string) => void;
}

/** Fill the details card; it follows the selection. */
export function createDetails(
  host: HTMLElement,
  app: App,
  nearest: HTMLElement,
  actions: DetailsActions,
): void {
  const { store, catalog } = app;
  host.setAttribute('aria-live', 'polite');
  let drawn: LocateAnswer | null = null;

  function head(): HTMLElement {
    return h(
      'div',
      { class: 'details-head' },
      h('h2', { text: t('details.title') }),
      iconButton('close', t('details.close'), actions.close),
    );
  }

  /** Its community stands right under a grid in the chain, so the grid's own name need not repeat it. */
  function linkName(entry: ChainLink): string {
    const grid = entry.level === 'grid' ? catalog.gridByCode.get(entry.code) : undefined;
    return grid ? shortNameIn(catalog, grid) : nameOf(entry) || entry.code;
  }

  function link(entry: ChainLink, first: boolean): HTMLElement {
    return h(
      'li',
      {
        class: first ? 'chain-link chain-owner' : 'chain-link',
        'data-level': entry.level,
        'data-code': entry.code,
      },
      h('span', { class: 'chain-level', text: t(`level.${entry.level}`) }),
      h('span', {
        class: 'chain-name',
        text: linkName(entry),
      }),
      h('code', { class: 'chain-code', text: entry.code }),
    );
  }

  /** Where a grid's households stand against the band; the scale ends a little beyond the larger of the two. */
  function gauge(households: number): HTMLElement {
    const { low, high } = catalog.overview.band;
    const top = Math.max(high * 1.35, households * 1.08);
    const at = (value: number): string => `${Math.min(100, Math.max(0, (value / top) * 100))}%`;
    const band = h('span', { class: 'gauge-band' });
    band.style.left = at(low);
    band.style.width = at(high - low);
    const state = households < low ? 'below' : households > high ? 'above' : 'in';
    const needle = h('span', { class: `gauge-needle gauge-${state}` });
    needle.style.left = at(households);
    const lows = h('span', { class: 'gauge-tick', text: number(low) });
    lows.style.left = at(low);
    const highs = h('span', { class: 'gauge-tick', text: number(high) });
    highs.style.left = at(high);
    const words =
      state === 'in'
        ? t('details.inBand')
        : state === 'below'
          ? t('details.belowBand', { count: number(low - households) })
          : t('details.aboveBand', { count: number(households - high) });
    return h(
      'div',
      { class: 'gauge-box' },
      h('h3', { text: t('details.band') }, h('span', { class: `badge badge-${state}`, text: words })),
      h('div', { class: 'gauge', 'aria-hidden': 'true' }, band, needle, lows, highs),
    );
  }

  function figures(grid: GridDetailProperties): HTMLElement {
    const tile = (label: string, value: number | null | undefined): HTMLElement | null =>
      value === null || value === undefined
        ? null
        : h('div', { class: 'tile' }, h('dd', { text: number(value) }), h('dt', { text: label }));
    return h(
      'dl',
      { class: 'tiles' },
      tile(t('details.households'), grid.households),
      tile(t('details.population'), grid.population),
      tile(t('details.components'), grid.components),
      tile(t('details.facilities'), grid.facilities),
      tile(t('details.reports'), grid.reports),
      tile(
        t('details.compactness'),
        grid.compactness === null ? null : Math.round(grid.compactness * 100) / 100,
      ),
    );
  }

  function reach(circles: readonly GridCircle[]): HTMLElement {
    const byCategory = new Map(catalog.categories.map((entry) => [entry.category, entry]));
    const rows = circles
      .filter(({ residents_share }) => residents_share !== null)
      .sort((a, b) => (a.residents_share ?? 0) - (b.residents_share ?? 0));
    return h(
      'section',
      { class: 'reach' },
      h('h3', { text: t('details.circles') }),
      ...rows.map(({ category, residents_share }) => {
        const entry = byCategory.get(category);
        const bar = h('span', { class: 'meter-fill' });
        bar.style.width = `${Math.round((residents_share ?? 0) * 1000) / 10}%`;
        return h(
          'button',
          {
            type: 'button',
            class: 'rank',
            title: entry ? t('facilities.tier', { minutes: entry.minutes }) : '',
            on: { click: () => actions.category(category) },
          },
          entry ? glyphElement(entry) : null,
          h('span', { class: 'rank-name', text: labelOf(entry?.name_zh, entry?.name_en) || category }),
          h('span', { class: 'meter' }, bar),
          h('span', { class: 'meter-value', text: percent(residents_share ?? 0) }),
        );
      }),
    );
  }

  function place(answer: LocateAnswer): HTMLElement {
    const text = coordinate(answer.point.lon, answer.point.lat);
    const copy = async (): Promise<void> => {
      await navigator.clipboard?.writeText(text).catch(() => undefined);
      toast(t('details.copied'), 'done');
    };
    return h(
      'div',
      { class: 'place' },
      h('span', { class: 'muted', text: t('details.point') }),
      h('code', { text }),
      navigator.clipboard ? iconButton('copy', t('details.copy'), () => void copy()) : null,
      answer.generation !== null &&
        h('span', { class: 'muted', text: t('details.generation', { id: answer.generation }) }),
    );
  }

  function outside(answer: LocateAnswer): HTMLElement[] {
    const { nearest } = answer;
    const parts: HTMLElement[] = [
      h(
        'div',
        { class: 'outside' },
        icon('warn'),
        h('div', {}, h('strong', { text: t('details.outside') }), h('p', { text: t('details.outsideHint') })),
      ),
    ];
    if (nearest) {
      parts.push(
        h('p', {
          class: 'muted',
          text: t('details.nearest', {
            code: gridTitle(catalog, nearest.code, catalog.gridByCode.get(nearest.code)?.name ?? null),
            distance: distance(nearest.metres),
          }),
        }),
        h('button', {
          type: 'button',
          class: 'button',
          text: t('details.goNearest'),
          on: { click: () => actions.goTo(nearest.code) },
        }),
      );
    }
    return parts;
  }

  function owned(answer: LocateAnswer, grid: GridDetailProperties | undefined): (HTMLElement | null)[] {
    const { owner } = answer;
    if (!owner) return [];
    // Whoever looks at reach reads of it first; whoever asks for the owner finds it below.
    const first = circlesOn(store.get());
    const kind = tOr(`kind.${owner.kind}`, t(owner.kind === 'ordinary' ? 'kind.ordinary' : 'kind.special'));
    return [
      h(
        'div',
        { class: 'owner' },
        h(
          'div',
          {},
          h('p', { class: 'owner-kind', text: kind }),
          h('p', { class: 'owner-name', text: gridTitle(catalog, owner.code, owner.name) }),
          h('code', { class: 'owner-code', text: owner.code }),
        ),
        iconButton('target', t('details.zoom'), () => actions.zoomTo(owner.code)),
      ),
      first ? nearest : null,
      h(
        'section',
        {},
        h('h3', { text: t('details.chain') }),
        h('ol', { class: 'chain' }, ...answer.chain.map((entry, at) => link(entry, at === 0))),
      ),
      grid ? h('section', {}, h('h3', { text: t('details.figures') }), figures(grid)) : skeleton(),
      grid && !isSpecial(grid) ? gauge(grid.households) : null,
      grid && isSpecial(grid) ? h('p', { class: 'muted', text: t('details.special') }) : null,
      first ? null : nearest,
      grid?.circles && grid.circles.length > 0 ? reach(grid.circles) : null,
    ];
  }

  const skeleton = (): HTMLElement =>
    h('div', { class: 'skeleton', 'aria-hidden': 'true' }, h('span'), h('span'), h('span'));

  function draw(): void {
    const { selection } = store.get();
    host.hidden = selection === null;
    if (!selection) {
      renew(host);
      return;
    }
    const { answer, grid } = selection;
    if (!answer) {
      renew(host, head(), h('p', { class: 'muted pad', text: t('details.loading') }), skeleton());
      return;
    }
    const body = answer.owner ? owned(answer, grid?.properties) : [...outside(answer), nearest];
    const top = host.querySelector('.details-body')?.scrollTop ?? 0;
    const scrolled = h('div', { class: 'details-body', tabindex: '0' }, ...body, place(answer));
    keepFocus(host, () => renew(host, head(), scrolled));
    if (answer === drawn) scrolled.scrollTop = top;
    drawn = answer;
  }
  store.on(['selection'], draw);
  let on = circlesOn(store.get());
  store.on(['panel', 'category'], (state) => {
    if (circlesOn(state) !== on) draw();
    on = circlesOn(state);
  });
  onLang(draw);
  draw();
}
