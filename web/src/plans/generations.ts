/** What was in force when: the generations, newest first, and going back to an earlier one. */
import { h, renew } from '../core/dom';
import { number } from '../core/format';
import type { AreaName } from '../core/types';
import { lang, nameOf, onLang, t } from '../i18n';
import { cancelOr, openDialog } from '../ui/dialog';
import { explain, toast } from '../ui/toasts';
import { session } from '../ui/who';
import { workbenchOf } from './card';
import { plansService } from './service';
import type { Generation, Rollback } from './types';
import { moment } from './wording';

/** Listed at first. */
const SHOWN = 12;
/** Communities named when something is to be brought back. */
const NAMED = 12;

export interface Generations {
  element: HTMLElement;
  show: (generations: readonly Generation[] | null, areas: ReadonlyMap<string, AreaName>) => void;
}

const planName = ({ plan, plan_name }: Generation): string =>
  plan_name?.trim() || (plan === null ? '–' : t('plans.unnamed', { id: plan }));

function about(generation: Generation): HTMLElement[] {
  const { born, ended } = generation;
  return [
    h(
      'p',
      { class: 'plan-meta' },
      h('time', { datetime: generation.published_at, text: moment(generation.published_at) }),
      h('span', { text: generation.author || t('plans.nobody') }),
    ),
    h('p', {
      class: 'plan-meta',
      text: born === undefined ? '' : t('plans.bornEnded', { born: number(born), ended: number(ended ?? 0) }),
    }),
  ];
}

/** Ask whether to go back to `generation`; says what that means and, once done, what came of it. */
export function askRestore(
  generation: Generation,
  newer: readonly Generation[],
  areas: ReadonlyMap<string, AreaName>,
  done: () => void,
): void {
  const dialog = openDialog(t('plans.restoreTitle', { generation: generation.id }), 'restore-dialog');
  const note = h('textarea', { id: 'restore-note', class: 'field', rows: '2', maxlength: '500' });
  note.value = t('plans.restoreNote', { generation: generation.id });
  const fault = h('p', { class: 'fault', role: 'alert' });
  let seen = '';
  const changes = h('div', { role: 'status' }, h('p', { class: 'muted', text: t('plans.restoreReading') }));
  const go = h('button', {
    type: 'button',
    class: 'button',
    id: 'restore-go',
    disabled: true,
    text: t('plans.restoreDo', { generation: generation.id }),
  });
  go.addEventListener('click', () => {
    go.disabled = true;
    plansService.restore(generation.id, note.value.trim(), seen).then(
      () => {
        dialog.close();
        toast(t('plans.restored', { generation: generation.id }), 'done');
        done();
      },
      (error: unknown) => {
        go.disabled = false;
        fault.textContent = explain(error);
      },
    );
  });
  dialog.body.append(
    h('p', {
      text: t('plans.restoreText', { generation: generation.id, when: moment(generation.published_at) }),
    }),
    changes,
    h(
      'ul',
      { class: 'plain-list' },
      h('li', { text: t('plans.restoreNew', { count: newer.length }) }),
      h('li', { text: t('plans.restoreCodes') }),
      h('li', { text: t('plans.restoreKeeps') }),
    ),
    h(
      'details',
      { class: 'restore-undone', open: newer.length <= 4 },
      h('summary', { text: t('plans.restoreUndone', { count: newer.length }) }),
      h(
        'ul',
        {},
        ...newer.map((one) =>
          h('li', {
            text: `${t('plans.generation', { generation: one.id })} · ${planName(one)} · ${moment(one.published_at)}`,
          }),
        ),
      ),
    ),
    h('label', { for: 'restore-note', class: 'field-label', text: t('plans.note') }),
    note,
    fault,
  );
  cancelOr(dialog, go);
  note.focus();
  plansService.rollback(generation.id).then(
    ({ found, tag }) => {
      seen = tag;
      renew(changes, ...changesOf(found, areas));
      go.disabled = found.back === 0 && found.ended === 0;
    },
    (error: unknown) => {
      changes.replaceChildren();
      fault.textContent = explain(error);
    },
  );
}

/** What going back changes: grids, households, where. */
function changesOf(found: Rollback, areas: ReadonlyMap<string, AreaName>): HTMLElement[] {
  if (found.back === 0 && found.ended === 0) {
    return [
      h('p', { class: 'check-line is-good', text: t('plans.restoreSame', { generation: found.generation }) }),
    ];
  }
  const tile = (value: number, label: string): HTMLElement =>
    h('div', { class: 'change-tile' }, h('dd', { text: number(value) }), h('dt', { text: label }));
  const names = found.communities.slice(0, NAMED).map((code) => {
    const area = areas.get(code);
    return area ? nameOf(area) : code;
  });
  const more = found.communities.length > NAMED ? '…' : '';
  return [
    h(
      'dl',
      { class: 'change-tiles restore-tiles' },
      tile(found.back, t('plans.restoreBack')),
      tile(found.ended, t('plans.restoreEnded')),
      tile(found.households, t('plans.restoreHouseholds')),
    ),
    h('p', {
      class: 'muted',
      text: t('plans.restoreWhere', {
        count: number(found.communities.length),
        names: names.join(lang() === 'zh' ? '、' : ', ') + more,
      }),
    }),
  ];
}

export function createGenerations(restored: () => void): Generations {
  let rows: readonly Generation[] | null = null;
  let most = SHOWN;
  let places: ReadonlyMap<string, AreaName> = new Map();
  const element = h('aside', { class: 'generations', id: 'generations' });

  function row(generation: Generation, index: number): HTMLElement {
    const { planner } = session.get().me;
    const name = planName(generation);
    return h(
      'li',
      { class: `generation${generation.is_current ? ' is-current' : ''}`, 'data-generation': generation.id },
      h(
        'div',
        { class: 'generation-head' },
        h('b', { text: t('plans.generation', { generation: generation.id }) }),
        generation.is_current && h('span', { class: 'badge badge-current', text: t('plans.current') }),
        planner &&
          !generation.is_current &&
          h('button', {
            type: 'button',
            class: 'text-button',
            text: t('plans.goBack'),
            'aria-label': `${t('plans.goBack')} · ${t('plans.generation', { generation: generation.id })}`,
            on: { click: () => askRestore(generation, (rows ?? []).slice(0, index), places, restored) },
          }),
      ),
      generation.restored
        ? h('p', {
            class: 'generation-plan',
            text: t('plans.broughtBack', { generation: generation.restored }),
          })
        : generation.plan === null
          ? h('p', { class: 'generation-plan', text: name })
          : h('a', { class: 'generation-plan', href: workbenchOf(generation.plan), text: name, title: name }),
      ...about(generation),
      generation.note &&
        generation.note !== name &&
        h('p', { class: 'plan-note', text: generation.note, title: generation.note }),
    );
  }

  function draw(): void {
    const found = rows ?? [];
    const rest = found.length - most;
    element.setAttribute('aria-label', t('plans.generations'));
    renew(
      element,
      h('h2', { text: t('plans.generations') }),
      h('p', {
        class: 'muted',
        text: t(found.length > 0 || !rows ? 'plans.generationsHint' : 'plans.noGeneration'),
      }),
      h('ol', { class: 'generation-list' }, ...found.slice(0, most).map(row)),
      rest > 0 &&
        h('button', {
          type: 'button',
          class: 'text-button',
          text: t('plans.more', { count: rest }),
          on: {
            click: () => {
              most += 50;
              draw();
            },
          },
        }),
    );
  }
  onLang(draw);
  session.on(['me'], draw);
  draw();
  return {
    element,
    show(next, areas) {
      rows = next;
      places = areas;
      draw();
    },
  };
}
