/** The engine's part of the form: band, levels, what counts how much, what stays, how long. */
import { h, renew } from '../../core/dom';
import { number } from '../../core/format';
import { t } from '../../i18n';
import type { EngineOrder, Plan, WeightName } from '../types';
import { nameOfPlan } from '../wording';
import {
  type EngineForm,
  FACTORS,
  type Fault,
  faultsOf,
  leftOut,
  orderOf,
  PRESETS,
  type Preset,
  USUAL,
  WEIGHTS,
} from './checks';

export interface EnginePart {
  element: HTMLElement;
  /** Drafts whose locked grids may stay: those of the area. */
  drafts: (plans: readonly Plan[]) => void;
  /** The order, or null with the faults told and the first of them in focus. */
  order: () => EngineOrder | null;
}

type FieldName = Fault['field'];

export function enginePart(band: { low: number; high: number }): EnginePart {
  const faults = new Map<FieldName, HTMLElement>();
  const inputs = new Map<FieldName, HTMLInputElement>();
  const hint = h('p', { class: 'muted', id: 'engine-left-out' });

  function field(name: FieldName, value: string, attributes: Record<string, string> = {}): HTMLElement {
    const fault = h('p', { class: 'fault', id: `engine-${name}-fault` });
    const input = h('input', {
      id: `engine-${name}`,
      class: 'field',
      value,
      autocomplete: 'off',
      'aria-describedby': `engine-${name}-fault`,
      ...attributes,
      on: { input: () => again() },
    });
    faults.set(name, fault);
    inputs.set(name, input);
    return h(
      'div',
      { class: `form-field form-${name}` },
      h('label', { for: `engine-${name}`, class: 'field-label', text: t(`plans.engine.${name}`) }),
      input,
      fault,
    );
  }

  const preset = h('select', { id: 'engine-preset', class: 'field' });
  preset.append(h('option', { value: '', text: t('plans.preset.usual') }));
  for (const name of PRESETS) preset.append(h('option', { value: name, text: t(`plans.preset.${name}`) }));

  const keep = h('input', { type: 'checkbox', id: 'engine-keep', on: { change: () => again() } });
  const draft = h('select', { id: 'engine-draft', class: 'field', on: { change: () => again() } });
  const sliders = new Map<WeightName, HTMLInputElement>();
  const churn = h('div', { class: 'weight-rows' });

  function slider(name: WeightName): HTMLElement {
    const word = h('output', { class: 'weight-word', for: `weight-${name}` });
    const say = (): void => {
      word.textContent = t(`plans.step.${input.value as '0'}`);
      input.setAttribute('aria-valuetext', word.textContent);
      word.classList.toggle('is-set', Number(input.value) !== USUAL);
    };
    const input = h('input', {
      type: 'range',
      id: `weight-${name}`,
      min: '0',
      max: String(FACTORS.length - 1),
      step: '1',
      value: String(USUAL),
      on: { input: say },
    });
    sliders.set(name, input);
    say();
    return h(
      'div',
      { class: 'weight-row' },
      h('label', {
        for: `weight-${name}`,
        text: t(`plans.weight.${name}`),
        title: t(`plans.weight.${name}.hint`),
      }),
      input,
      word,
    );
  }

  const element = h(
    'fieldset',
    { class: 'engine' },
    h('legend', { class: 'unseen', text: t('plans.from.engine') }),
    h(
      'div',
      { class: 'form-row' },
      field('low', String(band.low), { inputmode: 'numeric' }),
      field('high', String(band.high), { inputmode: 'numeric' }),
    ),
    hint,
    h(
      'div',
      { class: 'form-check' },
      h('label', { class: 'check' }, keep, h('span', { text: t('plans.engine.keep') })),
      h('p', { class: 'muted', text: t('plans.engine.keepHint') }),
    ),
    h(
      'div',
      { class: 'form-field' },
      h('label', { for: 'engine-draft', class: 'field-label', text: t('plans.engine.draft') }),
      draft,
    ),
    h(
      'div',
      { class: 'form-field' },
      h('label', { for: 'engine-preset', class: 'field-label', text: t('plans.engine.preset') }),
      preset,
    ),
    h(
      'details',
      { class: 'more-options' },
      h('summary', { text: t('plans.engine.weights') }),
      h('p', { class: 'muted', text: t('plans.engine.weightsHint') }),
      h('div', { class: 'weight-rows' }, ...WEIGHTS.filter((name) => name !== 'churn').map(slider)),
      churn,
    ),
    h(
      'details',
      { class: 'more-options', id: 'engine-more' },
      h('summary', { text: t('plans.engine.more') }),
      field('levels', '', { placeholder: '34/158/854', spellcheck: 'false' }),
      h('p', { class: 'muted', text: t('plans.engine.levelsHint') }),
      h(
        'div',
        { class: 'form-row' },
        field('limit', '', { inputmode: 'numeric', placeholder: t('plans.engine.noLimit') }),
        field('seed', '0', { inputmode: 'numeric' }),
      ),
      h('p', { class: 'muted', text: t('plans.engine.seedHint') }),
    ),
  );
  churn.append(slider('churn'));

  function read(): EngineForm {
    const text = (name: FieldName): string => inputs.get(name)?.value ?? '';
    return {
      low: text('low'),
      high: text('high'),
      levels: text('levels'),
      keep: keep.checked,
      draft: draft.value ? Number(draft.value) : null,
      preset: preset.value as Preset | '',
      weights: Object.fromEntries(
        WEIGHTS.map((name) => [name, Number(sliders.get(name)?.value ?? USUAL)]),
      ) as Record<WeightName, number>,
      limit: text('limit'),
      seed: text('seed'),
    };
  }

  /** Tell what is wrong; where nothing was told before only once the order is sent. */
  function tell(found: readonly Fault[], sent: boolean): void {
    for (const [name, element_] of faults) {
      const fault = found.find((one) => one.field === name);
      const shown = fault && (sent || element_.textContent);
      element_.textContent = shown ? t(fault.key) : '';
      inputs.get(name)?.setAttribute('aria-invalid', String(Boolean(shown)));
    }
  }

  function again(): void {
    const form = read();
    const found = faultsOf(form);
    tell(found, false);
    const gap = found.some(({ field: name }) => name === 'low' || name === 'high')
      ? null
      : leftOut(Number(form.low), Number(form.high));
    hint.textContent = gap ? t('plans.engine.leftOut', { from: number(gap[0]), to: number(gap[1]) }) : '';
    hint.hidden = !gap;
    churn.hidden = !form.keep && form.draft === null;
  }
  again();

  return {
    element,
    drafts(plans) {
      const before = draft.value;
      renew(
        draft,
        h('option', { value: '', text: t('plans.engine.noDraft') }),
        ...plans.map((plan) => h('option', { value: plan.id, text: nameOfPlan(plan) })),
      );
      draft.value = plans.some(({ id }) => String(id) === before) ? before : '';
      again();
    },
    order() {
      const form = read();
      const found = faultsOf(form);
      tell(found, true);
      const first = found[0];
      if (!first) return orderOf(form);
      const input = inputs.get(first.field);
      const closed = input?.closest('details');
      if (closed) closed.open = true;
      input?.focus();
      return null;
    },
  };
}
