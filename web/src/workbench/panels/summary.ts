/** Numbers of the whole plan. */
import { h, renew } from '../../core/dom';
import { number } from '../../core/format';
import { onLang, t } from '../../i18n';
import type { Bench } from '../tools/types';

export function createSummary(bench: Bench): HTMLElement {
  const host = h('section', { class: 'summary' });
  const fact = (label: string, value: string, state = ''): HTMLElement =>
    h('div', { class: `fact ${state}` }, h('dt', { text: label }), h('dd', { text: value }));
  function draw(): void {
    const sums = bench.model.summary(bench.level());
    host.setAttribute('aria-label', t('workbench.summary'));
    renew(
      host,
      h(
        'dl',
        { class: 'facts facts-summary' },
        fact(t('workbench.summary.grids'), number(sums.grids)),
        fact(
          t('workbench.summary.inBand'),
          `${number(sums.inBand)}/${number(sums.ordinary)}`,
          sums.inBand < sums.ordinary ? 'is-wrong' : 'is-right',
        ),
        fact(t('workbench.summary.households'), number(sums.households)),
        fact(t('workbench.summary.spread'), `${number(sums.least)}–${number(sums.most)}`),
        fact(
          t('workbench.summary.unassigned'),
          number(sums.unassignedUnits),
          sums.unassignedUnits > 0 ? 'is-wrong' : '',
        ),
        fact(t('workbench.summary.broken'), number(sums.broken), sums.broken > 0 ? 'is-wrong' : ''),
      ),
    );
  }
  let waiting = 0;
  bench.ui.on(['revision', 'level'], () => {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(draw, 60);
  });
  onLang(draw);
  draw();
  return host;
}
