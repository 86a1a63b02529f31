/** Making a grid, or changing its name and kind. */
import { h } from '../../core/dom';
import { t } from '../../i18n';
import { openDialog } from '../../ui/dialog';
import { pieceOf } from './pieces';
import type { Bench } from '../tools/types';

export const KINDS = [
  'ordinary',
  'school',
  'hospital',
  'park',
  'scenic',
  'industrial',
  'water',
  'other',
] as const;

function kindsField(chosen: string): { element: HTMLElement; value: () => string } {
  const inputs = KINDS.map((kind) =>
    h('input', {
      type: 'radio',
      name: 'grid-kind',
      id: `kind-${kind}`,
      value: kind,
      checked: kind === chosen,
    }),
  );
  const element = h(
    'fieldset',
    { class: 'picks' },
    h('legend', { text: t('workbench.special.kind') }),
    ...inputs.map((input, at) =>
      h('label', { class: 'pick' }, input, h('span', { text: t(`workbench.kind.${KINDS[at]!}`) })),
    ),
  );
  return { element, value: () => inputs.find((input) => input.checked)?.value ?? 'ordinary' };
}

function nameField(value: string): HTMLInputElement {
  return h('input', {
    id: 'grid-name',
    class: 'field',
    type: 'text',
    maxlength: '60',
    autocomplete: 'off',
    value,
  });
}

/** Change a grid's name and kind. */
export function openGridDialog(bench: Bench, grid: number): void {
  const entry = bench.model.grids[grid];
  if (!entry || !bench.editable()) return;
  const dialog = openDialog(`${t('workbench.special.edit')} · ${bench.longName(grid)}`, 'dialog-small');
  const kinds = kindsField(entry.kind || 'ordinary');
  const name = nameField(entry.name);
  const save = (): void => {
    dialog.close();
    if (name.value.trim() !== entry.name) bench.did(bench.model.setName(grid, name.value.trim()));
    if (kinds.value() !== entry.kind) bench.did(bench.model.setKind(grid, kinds.value()));
  };
  dialog.body.append(
    kinds.element,
    h('label', { for: 'grid-name', text: t('workbench.special.name') }),
    name,
  );
  const remove = (): void => {
    dialog.close();
    bench.did(bench.model.removeGrid(grid));
  };
  dialog.foot.append(
    h('button', {
      type: 'button',
      class: 'text-button danger',
      text: t('workbench.remove'),
      on: { click: remove },
    }),
    h('button', {
      type: 'button',
      class: 'button button-plain',
      text: t('frame.cancel'),
      on: { click: dialog.close },
    }),
    h('button', { type: 'button', class: 'button', text: t('frame.save'), on: { click: save } }),
  );
  name.focus();
}

/** Make a grid: empty, of unassigned units, or by turning the current one into another kind. */
export function openNewGrid(bench: Bench): void {
  if (!bench.editable()) return;
  const { model, ui } = bench;
  const { current, cursor } = ui.get();
  const dialog = openDialog(t('workbench.special.title'), 'dialog-small');
  const kinds = kindsField('ordinary');
  const name = nameField('');
  const free = model.unassigned(bench.level());
  const choice = (value: string, text: string, checked: boolean, disabled = false): HTMLElement =>
    h(
      'label',
      { class: 'pick' },
      h('input', { type: 'radio', name: 'grid-extent', value, checked, disabled }),
      h('span', { text }),
    );
  const extent = h(
    'fieldset',
    { class: 'picks picks-rows' },
    h('legend', { text: t('workbench.special.from') }),
    choice('empty', t('workbench.special.empty'), true),
    choice('unassigned', t('workbench.special.unassigned'), false, free.length === 0),
    choice('current', t('workbench.special.current'), false, current < 0 || !model.grids[current]?.alive),
  );
  // An empty grid has no unit to tell its community: that of the current grid, the cursor or the middle of the map.
  const middle = bench.map.getView().getCenter() ?? [0, 0];
  const unit = cursor >= 0 ? cursor : model.unitAt(middle[0]!, middle[1]!);
  const near =
    model.grids[current]?.community ??
    model.topology.communities[model.topology.community[Math.max(0, unit)]!]?.code;
  const community = h(
    'select',
    { id: 'grid-community', class: 'field' },
    ...model.topology.communities.map(({ code, name: text }) =>
      h('option', { value: code, selected: code === near, text: text || code }),
    ),
  );
  const make = (): void => {
    const from = extent.querySelector<HTMLInputElement>('input:checked')?.value ?? 'empty';
    dialog.close();
    if (from === 'current') {
      bench.did(model.setKind(current, kinds.value()));
      if (name.value.trim()) bench.did(model.setName(current, name.value.trim()));
      return;
    }
    const units = from === 'unassigned' ? pieceOf(bench, free, unit) : [];
    const place = units.length > 0 ? {} : { community: community.value };
    const parent = model.grids[current]?.parent;
    const outcome = model.createGrid(
      {
        level: bench.level(),
        kind: kinds.value(),
        name: name.value.trim(),
        ...place,
        ...(parent ? { parent: model.gridByCode(parent) } : {}),
      },
      units,
    );
    if (!bench.did(outcome) || !outcome.ok) return;
    ui.set({ current: outcome.grid });
    bench.take('paint');
    if (units.length === 0) bench.hint(t('workbench.special.made', { name: bench.longName(outcome.grid) }));
  };
  dialog.body.append(
    kinds.element,
    h('label', { for: 'grid-name', text: t('workbench.special.name') }),
    name,
    extent,
    ...(model.topology.communities.length > 1
      ? [h('label', { for: 'grid-community', text: t('workbench.special.community') }), community]
      : []),
  );
  dialog.foot.append(
    h('button', {
      type: 'button',
      class: 'button button-plain',
      text: t('frame.cancel'),
      on: { click: dialog.close },
    }),
    h('button', { type: 'button', class: 'button', text: t('workbench.special.make'), on: { click: make } }),
  );
  dialog.body.querySelector<HTMLInputElement>('input')?.focus();
}
