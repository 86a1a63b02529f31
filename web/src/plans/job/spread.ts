/** How households are spread over grids, as bars from the smallest grid to the largest, the band behind them. */
import type { Band } from '../../workbench/model/types';
import { number } from '../../core/format';
import { t } from '../../i18n';

const SVG = 'http://www.w3.org/2000/svg';

function part(name: string, attributes: Record<string, string | number>): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

/** Smallest, middle and largest of some numbers; null without any. */
export function spreadOf(values: readonly number[]): { least: number; middle: number; most: number } | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return { least: sorted[0]!, middle: sorted[sorted.length >> 1]!, most: sorted.at(-1)! };
}

/** The picture. Bars out of the band have the colours maps give them. */
export function spreadChart(values: readonly number[], band: Band, width = 320, height = 96): SVGElement {
  const sorted = [...values].sort((a, b) => a - b);
  const top = Math.max(band.high * 1.25, sorted.at(-1) ?? 0, 1);
  const y = (value: number): number => height - (value / top) * height;
  const svg = part('svg', { viewBox: `0 0 ${width} ${height}`, class: 'spread', role: 'img' });
  const spread = spreadOf(sorted);
  svg.setAttribute(
    'aria-label',
    spread
      ? t('plans.spreadSays', {
          least: number(Math.round(spread.least)),
          middle: number(Math.round(spread.middle)),
          most: number(Math.round(spread.most)),
        })
      : '',
  );
  const low = y(band.low);
  svg.append(
    part('rect', {
      x: 0,
      y: y(band.high),
      width,
      height: Math.max(low - y(band.high), 1),
      class: 'spread-band',
    }),
  );
  const step = width / Math.max(sorted.length, 1);
  const gap = step > 4 ? 1 : 0;
  sorted.forEach((value, index) => {
    const kind = value < band.low ? 'low' : value > band.high ? 'high' : 'in';
    svg.append(
      part('rect', {
        x: index * step,
        y: y(value),
        width: Math.max(Math.min(step - gap, 26), 0.4),
        height: Math.max(height - y(value), 0.5),
        class: `spread-bar spread-${kind}`,
      }),
    );
  });
  for (const limit of [band.low, band.high]) {
    svg.append(part('line', { x1: 0, x2: width, y1: y(limit), y2: y(limit), class: 'spread-limit' }));
  }
  return svg;
}
