/** Live numbers: the grid painted with, the one under the pointer, and both as they would be. */
import { h, renew } from '../../core/dom';
import { number } from '../../core/format';
import { onLang, t } from '../../i18n';
import { kindName } from '../names';
import { openGridDialog } from './gridDialog';
import { bandBar, factsOf, householdsOf, stateOf, verdict } from './figures';
import { type Bench, ERASE } from '../tools/types';
import { toolIcon } from '../tools/icons';
import type { Trial } from '../model';

function swatch(bench: Bench, grid: number): HTMLElement {
  const mark = h('span', { class: 'swatch', 'aria-hidden': 'true' });
  if (grid >= 0) mark.style.background = bench.scene.fill(grid);
  return mark;
}

function compact(
  bench: Bench,
  title: string,
  { grid, before, after }: Trial,
  changing: boolean,
): HTMLElement {
  const band = grid >= 0 ? bench.model.bandOf(grid) : null;
  return h(
    'div',
    { class: 'now-side' },
    h(
      'p',
      { class: 'now-name' },
      swatch(bench, grid),
      h('span', { class: 'now-label', text: grid >= 0 ? bench.longName(grid) : t('workbench.noGrid') }),
      h('span', { class: 'muted', text: title }),
    ),
    h(
      'p',
      { class: 'now-line' },
      changing &&
        before.households !== after.households &&
        h('s', { class: 'was', text: number(before.households) }),
      h('strong', { text: number(after.households) }),
      h('span', { class: 'muted', text: t('workbench.households') }),
      h('span', {
        class: `verdict ${stateOf(after.households, band)}`,
        text: verdict(after.households, band),
      }),
    ),
    band && bandBar(after.households, band, changing ? before.households : undefined),
  );
}

function buttons(bench: Bench, grid: number): HTMLElement {
  const { model } = bench;
  const locked = model.grids[grid]?.locked ?? false;
  const draft = model.plan.status === 'draft';
  const act = (label: string, press: () => void, id: string): HTMLElement =>
    h('button', { type: 'button', id, class: 'text-button', text: label, on: { click: press } });
  return h(
    'div',
    { class: 'now-buttons' },
    draft &&
      act(
        t(locked ? 'workbench.unlock' : 'workbench.lock'),
        () => bench.editable() && bench.did(model.setLocked(grid, !locked)),
        'now-lock',
      ),
    draft && act(t('workbench.edit'), () => openGridDialog(bench, grid), 'now-edit'),
    act(t('workbench.zoomTo'), () => bench.showGrid(grid), 'now-zoom'),
  );
}

export function createNow(bench: Bench): HTMLElement {
  const { model, ui } = bench;
  const host = h('section', { class: 'now' });
  const main = h('div', { class: 'now-current' });
  const side = h('div', { class: 'now-under' });
  host.append(main, side);
  let drawn = '';

  function drawMain(): void {
    const { current, trial, revision } = ui.get();
    const tried = trial?.grids.find(({ grid }) => grid === current);
    const key = [current, revision, tried?.after.households, tried?.after.population, ui.get().look.by].join(
      '|',
    );
    if (key === drawn) return;
    drawn = key;
    const held = document.activeElement?.id ?? '';
    host.setAttribute('aria-label', t('workbench.current'));
    const entry = model.grids[current];
    if (current === ERASE || !entry?.alive) {
      renew(
        main,
        h(
          'p',
          { class: 'now-title' },
          h('strong', { text: t(current === ERASE ? 'workbench.eraser' : 'workbench.none') }),
        ),
        h('p', { class: 'muted', text: t('workbench.noneHint') }),
      );
      return;
    }
    const figures = tried?.after ?? model.figures(current);
    renew(
      main,
      h(
        'p',
        { class: 'now-title' },
        swatch(bench, current),
        h('strong', { class: 'now-label', text: bench.longName(current), title: entry.code }),
        kindName(model, current) !== '' && h('span', { class: 'muted', text: kindName(model, current) }),
        entry.locked && h('span', { class: 'locked', title: t('workbench.locked') }, toolIcon('lock')),
      ),
      householdsOf(figures.households, model.bandOf(current), tried?.before.households),
      factsOf(figures, tried?.before),
      buttons(bench, current),
    );
    if (held.startsWith('now-')) document.getElementById(held)?.focus({ preventScroll: true });
  }

  function drawSide(): void {
    const { current, hovered, trial, tool } = ui.get();
    if (trial) {
      const title = t(tool === 'merge' ? 'workbench.trialMerge' : 'workbench.trial');
      const others = trial.grids.filter(({ grid }) => grid !== current);
      renew(side, ...others.slice(0, 3).map((one) => compact(bench, title, one, true)));
      return;
    }
    const grid = hovered < 0 ? -1 : model.ownerOf(hovered, bench.level());
    if (hovered < 0 || grid < 0 || grid === current) {
      renew(side);
      return;
    }
    const figures = model.figures(grid);
    renew(side, compact(bench, t('workbench.under'), { grid, before: figures, after: figures }, false));
  }

  let waiting = 0;
  const later = (): void => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => {
      drawMain();
      drawSide();
    });
  };
  ui.on(['current', 'hovered', 'trial', 'revision', 'look'], later);
  onLang(() => {
    drawn = '';
    later();
  });
  drawMain();
  return host;
}
