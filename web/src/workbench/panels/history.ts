/** The steps taken, newest first; pressing one goes back to it. */
import { h, renew } from '../../core/dom';
import { lang, onLang, t } from '../../i18n';
import type { StepInfo } from '../model';
import type { Bench } from '../tools/types';

const SHOWN = 200;

export const stepName = ({ kind, units }: StepInfo): string => t(`workbench.step.${kind}`, { count: units });

const timeOf = (at: number): string =>
  new Intl.DateTimeFormat(lang() === 'zh' ? 'zh-CN' : 'en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  }).format(at);

export function createHistory(bench: Bench): HTMLElement {
  const { model, ui } = bench;
  const element = h('div', { class: 'history' });

  /** Undo or redo until `step` is the last one done. */
  function goTo(step: StepInfo): void {
    const steps = model.steps();
    const at = steps.findIndex(({ id }) => id === step.id);
    let done = steps.filter((one) => one.done).length - 1;
    for (; done > at && model.undo(); done -= 1);
    for (; done < at && model.redo(); done += 1);
  }

  function draw(): void {
    if (ui.get().panel !== 'history') return;
    const steps = model.steps();
    const last = steps.findLastIndex(({ done }) => done);
    renew(
      element,
      steps.length === 0
        ? h('p', { class: 'pad muted', text: t('workbench.history.empty') })
        : h(
            'ol',
            { class: 'steps', reversed: true },
            ...steps
              .map((step, at) =>
                h(
                  'li',
                  {},
                  h(
                    'button',
                    {
                      type: 'button',
                      class: `step ${step.done ? '' : 'is-undone'}`,
                      'aria-current': at === last ? 'step' : null,
                      title: t('workbench.history.back'),
                      on: { click: () => goTo(step) },
                    },
                    h('span', { text: stepName(step) }),
                    h('span', {
                      class: 'muted',
                      text: step.grids
                        .slice(0, 3)
                        .map((grid) => bench.shortName(grid))
                        .join(' · '),
                    }),
                    h('time', { text: timeOf(step.at) }),
                  ),
                ),
              )
              .reverse()
              .slice(0, SHOWN),
          ),
    );
  }
  ui.on(['revision', 'panel'], draw);
  onLang(draw);
  return element;
}
