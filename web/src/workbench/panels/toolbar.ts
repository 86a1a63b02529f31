/** The tools at the left edge of the map, and the line that says what the one in hand does. */
import { h, renew } from '../../core/dom';
import { onLang, t } from '../../i18n';
import { toolIcon } from '../tools/icons';
import { type Bench, HARMLESS, type ToolName, TOOLS } from '../tools/types';

/** Letter that takes each tool into the hand. */
export const LETTERS: Readonly<Record<ToolName, string>> = {
  paint: 'B',
  lasso: 'L',
  rectangle: 'R',
  compound: 'C',
  erase: 'E',
  pick: 'I',
  boundary: 'D',
  split: 'S',
  merge: 'M',
  special: 'N',
  hand: 'H',
};

const BRUSHES = [0, 12, 24, 40, 64] as const;
const BREAKS: ReadonlySet<ToolName> = new Set(['boundary', 'hand']);

/** A brush one size up or down. */
export function nextBrush(size: number, step: 1 | -1): number {
  const at = BRUSHES.findIndex((one) => one >= size);
  return BRUSHES[Math.max(0, Math.min(BRUSHES.length - 1, (at < 0 ? BRUSHES.length - 1 : at) + step))] ?? 0;
}

export function createToolbar(
  bench: Bench,
  editable: () => boolean,
): { bar: HTMLElement; hint: HTMLElement } {
  const { ui } = bench;
  const bar = h('div', { class: 'toolbar over-map', role: 'toolbar', 'aria-orientation': 'vertical' });
  const hint = h('div', { class: 'tool-hint over-map' });

  function drawBar(): void {
    const held = document.activeElement?.id ?? '';
    const { tool } = ui.get();
    bar.setAttribute('aria-label', t('workbench.tools'));
    renew(
      bar,
      ...TOOLS.flatMap((name) => [
        BREAKS.has(name) && h('span', { class: 'toolbar-break', 'aria-hidden': 'true' }),
        h(
          'button',
          {
            type: 'button',
            id: `tool-${name}`,
            class: 'tool',
            'aria-pressed': name === tool ? 'true' : 'false',
            'aria-keyshortcuts': LETTERS[name],
            title: `${t(`workbench.hint.${name}`)} (${LETTERS[name]})`,
            disabled: !editable() && !HARMLESS.has(name),
            tabindex: name === tool ? '0' : '-1',
            on: { click: () => bench.take(name) },
          },
          toolIcon(name),
          h('span', { class: 'tool-name', text: t(`workbench.tool.${name}`) }),
        ),
      ]),
    );
    if (held.startsWith('tool-')) document.getElementById(held)?.focus({ preventScroll: true });
  }

  function drawHint(): void {
    const { tool, brush } = ui.get();
    const sizes = h(
      'span',
      { class: 'brushes', role: 'group', 'aria-label': t('workbench.brush') },
      h('span', { class: 'muted', text: t('workbench.brush') }),
      ...BRUSHES.map((size) => {
        const dot = h('span', { class: 'brush-dot' });
        const side = `${size === 0 ? 4 : 6 + size / 5}px`;
        dot.style.width = side;
        dot.style.height = side;
        return h(
          'button',
          {
            type: 'button',
            id: `brush-${size}`,
            class: 'brush',
            'aria-pressed': size === brush ? 'true' : 'false',
            'aria-label': size === 0 ? t('workbench.brushOne') : t('workbench.brushSize', { size }),
            title: size === 0 ? t('workbench.brushOne') : t('workbench.brushSize', { size }),
            on: { click: () => ui.set({ brush: size }) },
          },
          dot,
        );
      }),
    );
    const held = document.activeElement?.id ?? '';
    renew(
      hint,
      h('span', { text: t(`workbench.hint.${tool}`) }),
      (tool === 'paint' || tool === 'erase') && sizes,
    );
    if (held.startsWith('brush-')) document.getElementById(held)?.focus({ preventScroll: true });
  }

  bar.addEventListener('keydown', (event) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (!step) return;
    event.preventDefault();
    const buttons = [...bar.querySelectorAll<HTMLButtonElement>('button:not(:disabled)')];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    buttons[(at + step + buttons.length) % buttons.length]?.focus();
  });
  ui.on(['tool'], drawBar);
  ui.on(['tool', 'brush'], drawHint);
  onLang(() => {
    drawBar();
    drawHint();
  });
  drawBar();
  drawHint();
  return { bar, hint };
}
