/** Making a plan: where, from what, and how the engine is to go about it. */
import { ServiceError } from '../../core/client';
import { h, renew } from '../../core/dom';
import type { AreaName, Overview } from '../../core/types';
import { nameOf, t } from '../../i18n';
import { cancelOr, openDialog } from '../../ui/dialog';
import { explain } from '../../ui/toasts';
import { type Made, plansService } from '../service';
import type { Plan, PlanOrder } from '../types';
import { nameOfPlan } from '../wording';
import { areaChooser } from './areaTree';
import { enginePart } from './engine';

const WAYS = ['engine', 'published', 'empty', 'plan'] as const;
type Way = (typeof WAYS)[number];
const NAME_LENGTH = 120;

/** Open the dialog; `made` runs with the plan, or with the job that makes it. */
export function openCreate(
  overview: Overview,
  plans: readonly Plan[],
  options: { area?: string; from?: number },
  made: (made: Made) => void,
): void {
  const dialog = openDialog(t('plans.create'), 'dialog-wide create-dialog');
  const { areas } = overview;
  const only = areas.length === 1 ? areas[0]?.code : areas.find(({ level }) => level === 'district')?.code;
  let way: Way = options.from ? 'plan' : 'engine';

  const name = h('input', {
    id: 'create-name',
    class: 'field',
    maxlength: NAME_LENGTH,
    autocomplete: 'off',
    placeholder: t('plans.nameAuto'),
  });
  const note = h('textarea', { id: 'create-note', class: 'field', rows: '2', maxlength: '1000' });
  const engine = enginePart(overview.band);
  const other = h('select', { id: 'create-plan', class: 'field', 'aria-label': t('plans.from.plan') });
  const fault = h('p', { class: 'fault', role: 'alert' });
  const where = h('p', { class: 'create-where' });
  // the form's own button, so that Enter in any field starts it
  const go = h('button', { type: 'submit', form: 'create-form', class: 'button', id: 'create-go' });
  const rest = h('div', { class: 'create-rest' });

  const chooser = areaChooser(areas, options.area ?? only ?? null, follow);

  function fits(plan: Plan): boolean {
    const area = chooser.chosen();
    return area !== null && plan.area === area.code;
  }

  /** What depends on the area and on where the plan begins. */
  function follow(): void {
    const area: AreaName | null = chooser.chosen();
    fault.textContent = '';
    where.textContent = area ? t('plans.createWhere', { area: nameOf(area) }) : t('plans.areaMissing');
    engine.drafts(plans.filter((plan) => plan.status === 'draft' && plan.unit_set !== null && fits(plan)));
    const before = other.value || String(options.from ?? '');
    const found = plans.filter(fits);
    renew(other, ...found.map((plan) => h('option', { value: plan.id, text: nameOfPlan(plan) })));
    if (found.some(({ id }) => String(id) === before)) other.value = before;
    renew(
      rest,
      way === 'engine' && engine.element,
      way === 'plan' && (found.length > 0 ? other : h('p', { class: 'muted', text: t('plans.noOtherPlan') })),
    );
    go.textContent = t(way === 'engine' ? 'plans.createStart' : 'plans.createDo');
    go.disabled = area === null || (way === 'plan' && found.length === 0);
  }

  const ways = h(
    'fieldset',
    { class: 'ways' },
    h('legend', { class: 'field-label', text: t('plans.from') }),
    ...WAYS.map((value) => {
      const input = h('input', {
        type: 'radio',
        name: 'create-from',
        id: `create-from-${value}`,
        value,
        on: {
          change: () => {
            way = value;
            follow();
          },
        },
      });
      input.checked = value === way;
      return h(
        'label',
        { class: 'way' },
        input,
        h('b', { text: t(`plans.from.${value}`) }),
        h('span', { class: 'muted', text: t(`plans.from.${value}.hint`) }),
      );
    }),
  );

  async function submit(): Promise<void> {
    const area = chooser.chosen();
    if (!area) {
      fault.textContent = t('plans.areaMissing');
      chooser.focus();
      return;
    }
    const order: PlanOrder = {
      area: area.code,
      from: way === 'plan' ? { plan: Number(other.value) } : way,
      ...(name.value.trim() ? { name: name.value.trim() } : {}),
      ...(note.value.trim() ? { note: note.value.trim() } : {}),
    };
    if (way === 'engine') {
      const wanted = engine.order();
      if (!wanted) return;
      order.engine = wanted;
    }
    go.disabled = true;
    fault.textContent = '';
    try {
      const found = await plansService.make(order);
      dialog.close();
      made(found);
    } catch (error) {
      const known = error instanceof ServiceError && error.status > 0 && error.status < 500;
      fault.textContent = known ? error.message : explain(error);
      fault.scrollIntoView({ block: 'nearest' });
      go.disabled = false;
    }
  }

  const form = h(
    'form',
    { class: 'create-form', id: 'create-form', novalidate: true },
    h(
      'div',
      { class: 'create-side' },
      h('h3', { class: 'field-label', text: t('plans.area') }),
      chooser.element,
    ),
    h(
      'div',
      { class: 'create-main' },
      where,
      h('label', { for: 'create-name', class: 'field-label', text: t('plans.name') }),
      name,
      ways,
      rest,
      h('label', { for: 'create-note', class: 'field-label', text: t('plans.noteOptional') }),
      note,
      fault,
    ),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void submit();
  });
  dialog.body.append(form);
  cancelOr(dialog, go);
  follow();
  name.focus();
}
