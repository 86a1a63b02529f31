/** What publishing a plan would change, from when on, and doing it. */
import { ServiceError } from '../../core/client';
import { h, icon, renew } from '../../core/dom';
import { number } from '../../core/format';
import { lang, t, tOr } from '../../i18n';
import { openDialog } from '../../ui/dialog';
import { explain, toast } from '../../ui/toasts';
import { plansService } from '../service';
import type { CheckProblem, GridFacts, Plan, PlanRef, Publication, PublicationPreview } from '../types';
import { figure, momentIn, nameOfPlan } from '../wording';
import { instantOf, localInput, nextDay, ownZone, type Zone, zoneText } from './when';

/** Listed before "and so many more". */
const LISTED = 6;

const problemsOf = ({ check }: PublicationPreview): readonly CheckProblem[] => check.problems ?? [];

/** The kind in the reader's language; the service's own sentence where it says more. */
function textOf({ kind, text }: CheckProblem): string {
  const own = tOr(`plans.check.${kind}`, '');
  if (!own) return text;
  return lang() === 'en' && text ? text : own;
}

const tile = (kind: string, value: string, label: string, hint?: string): HTMLElement =>
  h(
    'div',
    { class: `change-tile change-${kind}`, title: hint ?? null },
    h('dd', { text: value }),
    h('dt', { text: label }),
  );

function codes(title: string, grids: readonly GridFacts[], plan: number | null): HTMLElement | null {
  if (grids.length === 0) return null;
  const item = ({ code, households }: GridFacts): HTMLElement =>
    h(
      'li',
      {},
      plan === null
        ? h('code', { text: code })
        : h('a', {
            href: `./workbench?plan=${plan}&grid=${code}`,
            target: '_blank',
            text: code,
            class: 'code-link',
          }),
      h('span', { class: 'amount', text: t('unit.households', { count: figure(households) }) }),
    );
  return h(
    'details',
    { class: 'change-codes' },
    h('summary', { text: `${title} (${number(grids.length)})` }),
    h('ul', {}, ...grids.slice(0, 200).map(item)),
  );
}

function problems(plan: Plan, preview: PublicationPreview): HTMLElement {
  const found = problemsOf(preview);
  if (found.length === 0) return h('p', { class: 'check-line is-good' }, icon('check'), t('plans.checkGood'));
  return h(
    'div',
    { class: `check-box ${preview.ok ? '' : 'is-bad'}` },
    h('p', { class: 'check-line' }, icon('warn'), t(preview.ok ? 'plans.checkWarns' : 'plans.checkFails')),
    h(
      'ul',
      { class: 'check-list' },
      ...found.slice(0, 30).map((problem) => {
        const { code } = problem;
        return h(
          'li',
          {},
          h('span', { text: textOf(problem) }),
          h('a', {
            href: `./workbench?plan=${plan.id}${code ? `&grid=${code}` : ''}`,
            target: '_blank',
            text: code ? t('plans.showGrid', { code: code.slice(-5) }) : t('plans.showPlan'),
          }),
        );
      }),
      found.length > 30 && h('li', { text: t('plans.andMore', { count: found.length - 30 }) }),
    ),
  );
}

function moves(plan: Plan, preview: PublicationPreview): HTMLElement | null {
  const rows = preview.moves.filter(({ households }) => households > 0).slice(0, LISTED);
  if (rows.length === 0) return null;
  return h(
    'div',
    { class: 'change-moves' },
    h(
      'table',
      { class: 'figures-table' },
      h('caption', { text: t('plans.largestMoves') }),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'col', text: t('plans.moveFrom') }),
          h('th', { scope: 'col', text: t('plans.moveTo') }),
          h('th', { scope: 'col', class: 'num', text: t('plans.households') }),
        ),
      ),
      h(
        'tbody',
        {},
        ...rows.map((move) =>
          h(
            'tr',
            {},
            h('td', {}, h('code', { text: move.old || '–' })),
            h('td', {}, h('code', { text: move.new || t('plans.noGrid') })),
            h('td', { class: 'num', text: figure(move.households) }),
          ),
        ),
      ),
    ),
    h('a', {
      href: `./compare?plan=${plan.id}&with=published`,
      target: '_blank',
      text: t('plans.seeAllMoves', { count: number(preview.moves.length) }),
    }),
  );
}

function summary(plan: Plan, preview: PublicationPreview): HTMLElement {
  const { moving } = preview;
  return h(
    'section',
    { class: 'changes' },
    h('h3', { text: t('plans.changes') }),
    h(
      'dl',
      { class: 'change-tiles' },
      tile('going', number(preview.going_on), t('plans.goingOn'), t('plans.goingOnHint')),
      tile('born', number(preview.born.length), t('plans.born')),
      tile('gone', number(preview.gone.length), t('plans.gone')),
      tile('moving', figure(moving.households), t('plans.movingHouseholds'), t('plans.movingHint')),
      tile('moving', figure(moving.population), t('plans.movingPeople')),
      tile('reports', figure(moving.reports_open), t('plans.movingReports'), t('plans.movingReportsHint')),
    ),
    codes(t('plans.born'), preview.born, plan.id),
    codes(t('plans.gone'), preview.gone, null),
    moves(plan, preview),
    preview.outdated.length > 0 &&
      h('p', {
        class: 'muted',
        text: t('plans.outdated', {
          names: preview.outdated.map(nameOfPlan).join(lang() === 'zh' ? '、' : ', '),
        }),
      }),
  );
}

interface When {
  element: HTMLElement;
  /** ISO time, null for now; a text when what is filled in is no time to come. */
  read: () => { at: string | null } | { fault: string };
}

function askWhen(zone: Zone, changed: (now: boolean) => void): When {
  const now = h('input', { type: 'radio', name: 'publish-when', id: 'publish-now', value: 'now' });
  const later = h('input', { type: 'radio', name: 'publish-when', id: 'publish-later', value: 'later' });
  now.checked = true;
  const at = h('input', {
    type: 'datetime-local',
    id: 'publish-at',
    class: 'field',
    value: localInput(nextDay(new Date(), zone), zone),
    min: localInput(new Date(), zone),
    'aria-label': t('plans.effectiveAt'),
    'aria-describedby': 'publish-zone',
  });
  const said = h('p', { class: 'muted', id: 'publish-zone' });
  const follow = (): void => {
    at.disabled = !later.checked;
    const when = instantOf(at.value, zone);
    said.textContent = later.checked
      ? t('plans.zoneSays', {
          zone: zoneText(zone),
          utc: when ? `${when.toISOString().slice(0, 16).replace('T', ' ')} UTC` : '–',
        })
      : t('plans.nowSays');
    changed(now.checked);
  };
  for (const input of [now, later]) input.addEventListener('change', follow);
  at.addEventListener('input', follow);
  const element = h(
    'fieldset',
    { class: 'publish-when' },
    h('legend', { class: 'field-label', text: t('plans.when') }),
    h('label', { class: 'check' }, now, h('span', { text: t('plans.now') })),
    h(
      'div',
      { class: 'publish-later' },
      h('label', { class: 'check' }, later, h('span', { text: t('plans.later') })),
      at,
    ),
    said,
  );
  follow();
  return {
    element,
    read() {
      if (now.checked) return { at: null };
      const when = instantOf(at.value, zone);
      if (!when) return { fault: t('plans.fault.time') };
      if (when.getTime() <= Date.now()) return { fault: t('plans.fault.past') };
      return { at: when.toISOString() };
    },
  };
}

/** The waiting publication with the button that calls it off. */
function waitingBox(waiting: Publication, zone: Zone, callOff: () => void): HTMLElement {
  return h(
    'div',
    { class: 'waiting-box' },
    h('p', { class: 'waiting-when', text: t('plans.waits', { when: momentIn(waiting.effective_at, zone) }) }),
    h('p', {
      class: 'muted',
      text: `${zoneText(zone)} · ${t('plans.askedBy', {
        who: waiting.author || t('plans.nobody'),
        when: momentIn(waiting.asked_at, zone),
      })}`,
    }),
    waiting.note && h('p', { class: 'plan-note', text: waiting.note }),
    h('button', {
      type: 'button',
      id: 'publish-call-off',
      class: 'button button-plain is-danger',
      text: t('plans.callOff'),
      on: { click: callOff },
    }),
  );
}

/** Open the dialog; `done` runs once the plan was published, is waiting to be, or its waiting was called off. */
export function openPublish(ref: PlanRef, done: () => void): void {
  const dialog = openDialog(t('plans.publishTitle', { name: nameOfPlan(ref) }), 'dialog-wide publish-dialog');
  const fault = h('p', { class: 'fault', role: 'alert' });
  const go = h('button', { type: 'button', class: 'button', id: 'publish-go', disabled: true });
  const cancel = h('button', {
    type: 'button',
    class: 'button button-plain',
    text: t('frame.cancel'),
    on: { click: dialog.close },
  });
  dialog.foot.append(cancel, go);

  const closed = (): boolean => !dialog.element.isConnected;

  async function read(): Promise<void> {
    renew(dialog.body, h('p', { class: 'reading', role: 'status', text: t('plans.lookingAtChanges') }));
    go.disabled = true;
    go.textContent = t('plans.publishNow');
    try {
      const [plan, preview] = await Promise.all([
        plansService.plan(ref.id),
        plansService.publication(ref.id),
      ]);
      if (!closed()) show(plan, preview);
    } catch (error) {
      if (!closed()) renew(dialog.body, h('p', { class: 'fault', role: 'alert', text: explain(error) }));
    }
  }

  function show(plan: Plan, preview: PublicationPreview): void {
    fault.textContent = '';
    const note = h('textarea', { id: 'publish-note', class: 'field', rows: '2', maxlength: '1000' });
    const { waiting } = preview;
    const zone = preview.time_zone ?? ownZone();
    const when = askWhen(zone, (now) => {
      go.textContent = t(now ? 'plans.publishNow' : 'plans.publishLater');
      fault.textContent = '';
    });
    go.hidden = waiting !== null;
    cancel.textContent = t(waiting ? 'frame.close' : 'frame.cancel');
    go.disabled = !preview.ok;
    go.onclick = () => void submit(plan, when, zone, note.value.trim());
    renew(
      dialog.body,
      waiting && waitingBox(waiting, zone, () => void callOff(plan)),
      problems(plan, preview),
      summary(plan, preview),
      !waiting && preview.ok && when.element,
      !waiting &&
        preview.ok &&
        h('label', { for: 'publish-note', class: 'field-label', text: t('plans.noteOptional') }),
      !waiting && preview.ok && note,
      fault,
    );
    (dialog.body.querySelector<HTMLElement>('#publish-call-off, #publish-now') ?? cancel).focus();
  }

  async function submit(plan: Plan, when: When, zone: Zone, note: string): Promise<void> {
    const told = when.read();
    if ('fault' in told) {
      fault.textContent = told.fault;
      dialog.body.querySelector<HTMLElement>('#publish-at')?.focus();
      return;
    }
    go.disabled = true;
    try {
      const answer = await plansService.publish(plan.id, plan.version, {
        ...(told.at ? { effective_at: told.at } : {}),
        ...(note ? { note } : {}),
      });
      dialog.close();
      if ('publication' in answer) {
        toast(t('plans.willPublish', { when: momentIn(answer.publication.effective_at, zone) }), 'done');
      } else {
        const made = typeof answer.generation === 'number' ? answer.generation : answer.generation.id;
        toast(t('plans.published', { generation: made }), 'done');
      }
      done();
    } catch (error) {
      const stale = error instanceof ServiceError && error.status === 412;
      if (stale) await read();
      fault.textContent = stale ? t('plans.changedLook') : explain(error);
      fault.scrollIntoView({ block: 'nearest' });
      if (!stale) go.disabled = false;
      else dialog.body.append(fault);
    }
  }

  async function callOff(plan: Plan): Promise<void> {
    try {
      await plansService.callOff(plan);
      toast(t('plans.calledOff'), 'done');
      done();
      await read();
    } catch (error) {
      fault.textContent = explain(error);
    }
  }
  void read();
}
