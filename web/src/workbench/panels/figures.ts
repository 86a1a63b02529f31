/** Numbers of one grid, with a bar that shows where it lies against the band. */
import { h } from '../../core/dom';
import { number } from '../../core/format';
import { t } from '../../i18n';
import type { Band, GridFigures } from '../model';

/** Where a value lies on a bar that ends at 1.6 times the band's upper end. */
const share = (value: number, { high }: Band): number => Math.max(0, Math.min(1, value / (high * 1.6)));

/** The bar: the band shaded, a mark at the value, and one where it was before. */
export function bandBar(households: number, band: Band, before?: number): HTMLElement {
  const zone = h('span', { class: 'band-zone' });
  zone.style.left = `${share(band.low, band) * 100}%`;
  zone.style.width = `${(share(band.high, band) - share(band.low, band)) * 100}%`;
  const fill = h('span', { class: `band-fill ${stateOf(households, band)}` });
  fill.style.width = `${share(households, band) * 100}%`;
  const bar = h(
    'span',
    {
      class: 'band-bar',
      role: 'img',
      'aria-label': t('workbench.deviation', { count: households, low: band.low, high: band.high }),
    },
    zone,
    fill,
  );
  if (before !== undefined && before !== households) {
    const was = h('span', { class: 'band-was' });
    was.style.left = `${share(before, band) * 100}%`;
    bar.append(was);
  }
  return bar;
}

export const stateOf = (households: number, band: Band | null): string =>
  !band ? 'is-free' : households < band.low ? 'is-low' : households > band.high ? 'is-high' : 'is-in';

/** "in the band", "12 too few" … */
export function verdict(households: number, band: Band | null): string {
  if (!band) return t('workbench.noBand');
  if (households < band.low) return t('workbench.below', { count: number(band.low - households) });
  if (households > band.high) return t('workbench.above', { count: number(households - band.high) });
  return t('workbench.inBand');
}

const reportsText = (value: number): string => number(Math.round(value * 10) / 10);

/** A fact with what it was before, if that was another number. */
function fact(label: string, value: string, before?: string): HTMLElement {
  return h(
    'div',
    { class: 'fact' },
    h('dt', { text: label }),
    h(
      'dd',
      {},
      before !== undefined && before !== value && h('s', { class: 'was', text: before }),
      h('span', { text: value }),
    ),
  );
}

export function factsOf(now: GridFigures, before?: GridFigures): HTMLElement {
  return h(
    'dl',
    { class: 'facts' },
    fact(t('workbench.population'), number(now.population), before && number(before.population)),
    fact(t('workbench.components'), number(now.components), before && number(before.components)),
    fact(
      t('workbench.reports'),
      reportsText(now.reportsPerMonth),
      before && reportsText(before.reportsPerMonth),
    ),
    fact(t('workbench.compactness'), now.compactness.toFixed(2), before && before.compactness.toFixed(2)),
  );
}

/** Big households, verdict, bar. */
export function householdsOf(now: number, band: Band | null, before?: number): HTMLElement {
  return h(
    'div',
    { class: 'now-main' },
    h(
      'p',
      { class: 'now-line' },
      before !== undefined && before !== now && h('s', { class: 'was', text: number(before) }),
      h('strong', { class: 'now-count', text: number(now) }),
      h('span', { class: 'muted', text: t('workbench.households') }),
      h('span', { class: `verdict ${stateOf(now, band)}`, text: verdict(now, band) }),
    ),
    band && bandBar(now, band, before),
  );
}
