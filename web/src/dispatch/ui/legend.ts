/** What the colours on the dispatch map mean. */

import { h, renew } from '../../core/dom';
import { onLang, t } from '../../i18n';
import { CANDIDATE, STAGE_COLORS, TARGET } from '../mapStyles';
import { ACCENT } from '../../map/theme';
import { CLOSED, STAGES } from '../types';
import { stageName } from '../words';

function dot(color: string, hollow = false): HTMLElement {
  const mark = h('span', { class: hollow ? 'dot is-hollow' : 'dot', 'aria-hidden': 'true' });
  mark.style.setProperty('--dot', color);
  return mark;
}

function stroke(color: string, kind: string): HTMLElement {
  const mark = h('span', { class: `stroke stroke-${kind}`, 'aria-hidden': 'true' });
  mark.style.setProperty('--dot', color);
  return mark;
}

export function createLegend(): HTMLElement {
  const element = h('div', { class: 'map-legend card' });
  const row = (mark: HTMLElement, text: string): HTMLElement => h('li', {}, mark, text);
  const say = (): void =>
    renew(
      element,
      h(
        'ul',
        { 'aria-label': t('dispatch.legend') },
        ...STAGES.filter((stage) => stage !== CLOSED).map((stage) =>
          row(dot(STAGE_COLORS[stage]), stageName(stage)),
        ),
        row(dot('#4a5765', true), t('dispatch.noGrid')),
        row(stroke(ACCENT, 'solid'), t('dispatch.legendOwner')),
        row(stroke(CANDIDATE, 'dashed'), t('dispatch.legendCandidate')),
        row(stroke(TARGET, 'solid'), t('dispatch.legendTarget')),
      ),
    );
  say();
  onLang(say);
  return element;
}
