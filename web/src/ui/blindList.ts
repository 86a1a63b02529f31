/** Blind spots of a category, most residents first: pointing at one shows it, choosing it goes there. */
import type { App } from '../core/app';
import { h } from '../core/dom';
import { number } from '../core/format';
import { wholeMinutes } from '../core/shares';
import type { BlindSpot, BlindSpots } from '../core/types';
import { nameOf, t } from '../i18n';

const FIRST = 6;

function words({ properties }: BlindSpot): { main: string; note: string } {
  const { residents, elderly, nearest, seconds, extra_seconds } = properties;
  const main = t('blind.residents', { residents: number(residents), elderly: number(elderly) });
  if (!nearest || seconds === null || extra_seconds === null) return { main, note: t('blind.unreached') };
  const note = t('blind.nearest', {
    name: nameOf(nearest) || nearest.facility_id,
    minutes: wholeMinutes(seconds),
    extra: wholeMinutes(extra_seconds),
  });
  return { main, note };
}

/** The list; `all` shows every spot rather than the first few. */
export function blindList(
  app: App,
  spots: BlindSpots,
  all: boolean,
  zoomTo: (rank: number) => void,
  more: () => void,
): HTMLElement {
  const { store } = app;
  const shown = all ? spots.features : spots.features.slice(0, FIRST);
  const point = (rank: number | null) => () => store.set({ spot: rank });
  const row = (spot: BlindSpot): HTMLElement => {
    const { rank } = spot.properties;
    const { main, note } = words(spot);
    return h(
      'li',
      {},
      h(
        'button',
        {
          type: 'button',
          id: `blind-${rank}`,
          class: 'blind-row',
          'data-rank': rank,
          title: `${main}\n${note}`,
          on: {
            click: () => zoomTo(rank),
            pointerenter: point(rank),
            pointerleave: point(null),
            focus: point(rank),
            blur: point(null),
          },
        },
        h('span', { class: 'blind-rank', text: String(rank) }),
        h('span', { class: 'blind-main', text: main }),
        h('span', { class: 'blind-note', text: note }),
      ),
    );
  };
  return h(
    'section',
    { class: 'blind' },
    h('h2', { text: t('blind.title', { count: number(spots.numberMatched) }) }),
    spots.features.length === 0
      ? h('p', { class: 'muted', text: t('blind.none') })
      : h('ol', { class: 'blind-list' }, ...shown.map(row)),
    spots.features.length > FIRST &&
      h('button', {
        type: 'button',
        id: 'blind-more',
        class: 'text-button',
        'aria-expanded': String(all),
        text: all ? t('blind.less') : t('blind.more', { count: number(spots.features.length) }),
        on: { click: more },
      }),
  );
}
