/** Figures of service circles: the score of all kinds together, and of one kind. */
import type { State } from '../core/app';
import { h } from '../core/dom';
import { number, percent } from '../core/format';
import { blindCount, coveredShare, share, straightShare, unassessedCount } from '../core/shares';
import type { Choice, CircleCategory, CircleScore } from '../core/types';
import { t } from '../i18n';
import { meter } from './parts';

/** Mean share of kinds reached in 15 minutes, its inequality, and how the residents spread over it. */
export function scoreBox({ mean, gini, histogram }: CircleScore): HTMLElement {
  const most = Math.max(1, ...histogram);
  const bars = histogram.map((count, at) => {
    const label = t('circles.scoreBar', { share: percent(at / 10), count: number(count) });
    const column = h('span', { class: 'histogram-bar', title: label });
    column.style.height = `${count > 0 ? Math.max(4, (count / most) * 100) : 0}%`;
    return h('span', { class: 'histogram-slot', title: label }, column);
  });
  const told = histogram
    .map((count, at) => t('circles.scoreBar', { share: percent(at / 10), count: number(count) }))
    .join('; ');
  const figure = (label: string, value: string, hint: string): HTMLElement =>
    h('div', { class: 'score-figure', title: hint }, h('dd', { text: value }), h('dt', { text: label }));
  return h(
    'section',
    { class: 'score' },
    h('h2', { text: t('circles.score') }),
    h(
      'dl',
      { class: 'score-row' },
      figure(t('circles.mean'), mean === null ? '–' : percent(mean), t('circles.meanHint')),
      figure(t('circles.gini'), gini === null ? '–' : gini.toFixed(2), t('circles.giniHint')),
    ),
    h('div', { class: 'histogram', role: 'img', 'aria-label': told }, ...bars),
    h(
      'div',
      { class: 'histogram-axis', 'aria-hidden': 'true' },
      h('span', { text: '0' }),
      h('span', { text: t('circles.scoreAxis') }),
      h('span', { text: '100 %' }),
    ),
  );
}

const LEVELS = ['0', '1', '2-4', '5-10', '11+'] as const;

/** How many facilities people can choose from, as one bar split in five. */
function opportunity(choice: Choice): HTMLElement {
  const total = LEVELS.reduce((sum, level) => sum + choice[level], 0);
  const held = LEVELS.filter((level) => choice[level] > 0);
  const words = (level: (typeof LEVELS)[number]): string =>
    t('circles.choiceOf', {
      level: level.replace('-', '–'),
      share: percent(share(choice[level], total) ?? 0),
    });
  const label = held.map(words).join(' · ');
  const parts = held.map((level) => {
    const part = h('span', { class: `level level-${LEVELS.indexOf(level)}`, title: words(level) });
    part.style.flexGrow = String(choice[level]);
    return part;
  });
  return h(
    'div',
    { class: 'opportunity' },
    h('p', { class: 'muted', text: t('circles.choice') }),
    h('div', { class: 'levels', role: 'img', 'aria-label': label }, ...parts),
    h('p', { class: 'levels-words', 'aria-hidden': 'true', text: label }),
  );
}

/** How many reach one kind: over the streets beside the straight line, the aged, the blind and the unknown. */
export function categoryFigures(row: CircleCategory, { who }: Pick<State, 'who'>): HTMLElement {
  const lost = unassessedCount(row, 'buildings');
  const off = row.facilities - row.facilities_on_network;
  return h(
    'div',
    { class: 'figures' },
    h('p', {
      class: 'muted',
      text: t('circles.standard', { minutes: row.minutes, metres: number(row.metres) }),
    }),
    h(
      'div',
      { class: 'meters' },
      ...meter(coveredShare(row, who), t(`circles.network.${who}`)),
      ...meter(straightShare(row, who), t('circles.straight'), 'meter-straight'),
      ...(who === 'elderly' ? [] : meter(coveredShare(row, 'elderly'), t('circles.elderly'))),
      ...(who === 'buildings' ? [] : meter(coveredShare(row, 'buildings'), t('circles.buildings'))),
    ),
    h(
      'ul',
      { class: 'facts' },
      h('li', { text: t('circles.facilities', { count: number(row.facilities) }) }),
      off > 0 && h('li', { text: t('circles.facilitiesOff', { count: number(off) }) }),
      h('li', {
        text: t('circles.blind', {
          count: number(blindCount(row, 'residents')),
          elderly: number(blindCount(row, 'elderly')),
        }),
      }),
      lost > 0 &&
        h('li', {
          class: 'fact-unknown',
          text: t('circles.unassessed', {
            count: number(lost),
            residents: number(unassessedCount(row, 'residents')),
          }),
        }),
    ),
    opportunity(row.opportunity),
  );
}
