/** The card of the measuring tool: what is measured, in the units people use, and how to go on. */
import { h, iconButton, renew } from '../core/dom';
import { lang, onLang, t } from '../i18n';
import type { Kind, Measure } from '../map/measure';

/** 1 mu 亩 in square metres. */
const MU = 10_000 / 15;

function figure(value: number, digits: number): string {
  const locale = lang() === 'zh' ? 'zh-CN' : 'en-GB';
  return new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value);
}

export function told(metres: number): string {
  return metres < 1000
    ? t('tools.metres', { value: figure(metres, metres < 100 ? 1 : 0) })
    : t('tools.kilometres', { value: figure(metres / 1000, 3) });
}

export function toldArea(square: number): string {
  const main =
    square < 10_000
      ? t('tools.squareMetres', { value: figure(square, 0) })
      : square < 1_000_000
        ? t('tools.hectares', { value: figure(square / 10_000, 2) })
        : t('tools.squareKilometres', { value: figure(square / 1_000_000, 3) });
  return square > 0
    ? `${main} · ${t('tools.mu', { value: figure(square / MU, square < 100 * MU ? 1 : 0) })}`
    : main;
}

/** Put the card into `host`; it shows while the tool is in use. `focus` gives the keyboard to the map. */
export function createMeasureBox(host: HTMLElement, measure: Measure, focus: () => void): void {
  const card = h('section', { class: 'measure card', hidden: true });
  host.append(card);
  const value = h('output', { class: 'measure-value', 'aria-live': 'polite' });
  const second = h('p', { class: 'measure-second' });

  function kindButton(kind: Kind): HTMLElement {
    return h('button', {
      type: 'button',
      class: 'chip',
      'aria-pressed': String(measure.state.get().kind === kind),
      text: t(`tools.${kind}`),
      on: {
        click: () => {
          measure.start(kind);
          focus();
        },
      },
    });
  }

  function draw(): void {
    const { kind } = measure.state.get();
    card.hidden = kind === null;
    if (kind === null) return;
    card.setAttribute('aria-label', t('tools.measure'));
    renew(
      card,
      h(
        'div',
        { class: 'measure-head', role: 'group', 'aria-label': t('tools.measure') },
        kindButton('length'),
        kindButton('area'),
        iconButton('close', t('tools.close'), () => {
          measure.stop();
          focus();
        }),
      ),
      value,
      second,
      h(
        'div',
        { class: 'measure-foot' },
        h('button', {
          type: 'button',
          class: 'text-button',
          text: t('tools.undo'),
          on: { click: measure.undo },
        }),
        h('button', {
          type: 'button',
          class: 'text-button',
          text: t('tools.finish'),
          on: { click: measure.finish },
        }),
        h('button', {
          type: 'button',
          class: 'text-button',
          text: t('tools.again'),
          on: { click: () => measure.start(measure.state.get().kind ?? 'length') },
        }),
      ),
      h('p', { class: 'measure-hint', text: t('tools.measureHint') }),
      h('p', { class: 'measure-hint measure-keys', text: t('tools.measureKeys') }),
    );
    say();
  }
  function say(): void {
    const { kind, metres, squareMetres, points } = measure.state.get();
    value.textContent = kind === 'area' ? toldArea(squareMetres) : told(metres);
    const around = kind === 'area' ? `${t('tools.perimeter')} ${told(metres)} · ` : '';
    second.textContent = around + t('tools.measurePoints', { count: points });
  }
  let kind: Kind | null = null;
  measure.state.on(['kind'], () => {
    if (measure.state.get().kind === kind) return;
    kind = measure.state.get().kind;
    draw();
  });
  measure.state.on(['metres', 'squareMetres', 'points', 'finished'], say);
  onLang(draw);
}
