/** Small bar charts as SVG, with a table's worth of words for those who cannot see them. */
import { number } from '../core/format';
import { t } from '../i18n';
import type { PatternRow } from './types';

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 256;
const HEIGHT = 84;
const TOP = 6;
const BOTTOM = 16;

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | number>,
  ...children: (Node | string)[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

const rounded = (value: number): string =>
  number(
    value >= 100 ? Math.round(value) : Math.round(value * (value >= 1 ? 10 : 100)) / (value >= 1 ? 10 : 100),
  );

/** Rates a day with their 95 % ranges. `names`: in full; `ticks`: what stands under a bar, or nothing. */
export function rateChart(
  title: string,
  rows: readonly PatternRow[],
  names: readonly string[],
  ticks: readonly string[],
): SVGSVGElement {
  const top = Math.max(...rows.map(({ high, rate }) => Math.max(high ?? 0, rate ?? 0)), 1e-9);
  const exposure = rows.reduce((sum, row) => sum + (row.exposure ?? 0), 0);
  const mean = rows.reduce((sum, row) => sum + row.reports, 0) / Math.max(exposure, 1e-9);
  const step = WIDTH / rows.length;
  const y = (value: number): number => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
  const floor = y(0);
  const told = rows.map((row, at) => {
    const key = names[at] ?? String(row.key);
    if (row.rate === null) return t('analysis.pattern.absent', { key });
    return t('analysis.pattern.value', {
      key,
      rate: rounded(row.rate),
      low: rounded(row.low ?? 0),
      high: rounded(row.high ?? 0),
      count: number(row.reports),
    });
  });
  const chart = svg('svg', {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    class: 'rate-chart',
    role: 'img',
    'aria-label': `${title}: ${told.join('; ')}`,
  });
  rows.forEach((row, at) => {
    const left = at * step;
    const middle = left + step / 2;
    const wide = Math.min(step * 0.66, 22);
    const group = svg('g', { class: 'rate' }, svg('title', {}, told[at] ?? ''));
    // The whole column answers the pointer, not the bar alone.
    group.append(svg('rect', { x: left, y: 0, width: step, height: HEIGHT, class: 'rate-hit' }));
    if (row.rate !== null) {
      group.append(
        svg('rect', {
          x: middle - wide / 2,
          y: y(row.rate),
          width: wide,
          height: Math.max(0, floor - y(row.rate)),
          rx: 1.5,
          class: row.rate > mean * 1.05 && (row.low ?? 0) > mean ? 'rate-bar rate-high' : 'rate-bar',
        }),
        svg('line', {
          x1: middle,
          x2: middle,
          y1: y(row.low ?? 0),
          y2: y(row.high ?? 0),
          class: 'rate-range',
        }),
      );
    }
    const tick = ticks[at];
    if (tick) group.append(svg('text', { x: middle, y: HEIGHT - 3, class: 'rate-tick' }, tick));
    chart.append(group);
  });
  chart.append(
    svg('line', { x1: 0, x2: WIDTH, y1: floor, y2: floor, class: 'rate-floor' }),
    svg('line', { x1: 0, x2: WIDTH, y1: y(mean), y2: y(mean), class: 'rate-mean' }),
  );
  return chart;
}

/** Bars without words, over a slider: how much there is at each of its places. */
export function strip(values: readonly number[], chosen: number | null): SVGSVGElement {
  const top = Math.max(...values, 1);
  const step = WIDTH / Math.max(values.length, 1);
  return svg(
    'svg',
    { viewBox: `0 0 ${WIDTH} 30`, class: 'strip', 'aria-hidden': 'true', preserveAspectRatio: 'none' },
    ...values.map((value, at) =>
      svg('rect', {
        x: at * step + step * 0.1,
        y: 30 - (value / top) * 28,
        width: step * 0.8,
        height: (value / top) * 28,
        class: at === chosen ? 'strip-bar strip-chosen' : 'strip-bar',
      }),
    ),
  );
}
