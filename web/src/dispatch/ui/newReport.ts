/** Storing a report at the place in the card. */

import type { App } from '../../core/app';
import { ServiceError } from '../../core/client';
import { h } from '../../core/dom';
import { coordinate } from '../../core/format';
import { t } from '../../i18n';
import { cancelOr, openDialog } from '../../ui/dialog';
import { explain, report as tell } from '../../ui/toasts';
import { classes, type NewReport } from '../service';
import type { Place } from '../state';
import type { EventService } from '../types';
import { gridName } from '../words';

let known: EventService[] | null = null;

/** Ask for class and description; `create` stores it. */
export async function askNewReport(
  app: App,
  place: Place,
  create: (body: NewReport) => Promise<void>,
): Promise<void> {
  const { answer } = place;
  if (!answer) return;
  try {
    known ??= await classes();
  } catch (error) {
    tell(error);
    return;
  }
  const dialog = openDialog(t('dispatch.newTitle'), 'dialog-small');
  const groups = [...new Set(known.map(({ group }) => group))];
  const kind = h(
    'select',
    { id: 'new-class', class: 'field', required: true },
    h('option', { value: '', text: t('dispatch.classChoose') }),
    ...groups.map((group) =>
      h(
        'optgroup',
        { label: group },
        ...known!
          .filter((entry) => entry.group === group)
          .map((entry) => h('option', { value: entry.service_code, text: entry.service_name })),
      ),
    ),
  );
  const text = h('textarea', { id: 'new-text', class: 'field', rows: '4', maxlength: '4000' });
  const fault = h('p', { class: 'fault', role: 'alert' });
  const owner = answer.owner ? gridName(app, answer.owner.code, answer.owner.name) : t('dispatch.outside');
  const form = h(
    'form',
    { class: 'new-form', novalidate: true },
    h(
      'p',
      {},
      h('strong', { text: owner }),
      ' ',
      h('code', { text: coordinate(answer.point.lon, answer.point.lat) }),
    ),
    h('label', { for: 'new-class', text: t('dispatch.class') }),
    kind,
    h('label', { for: 'new-text', text: t('dispatch.description') }),
    text,
    fault,
  );
  async function send(): Promise<void> {
    if (!answer || kind.value === '') {
      fault.textContent = t('dispatch.classChoose');
      kind.focus();
      return;
    }
    store.disabled = true;
    try {
      await create({
        service_code: kind.value,
        description: text.value.trim(),
        lon: answer.point.lon,
        lat: answer.point.lat,
        crs: 'cgcs2000',
        ...(answer.accuracy === null ? {} : { accuracy: answer.accuracy }),
        ...(answer.address ? { address: answer.address.full } : {}),
        ...(answer.component ? { component_code: answer.component.code } : {}),
      });
      dialog.close();
    } catch (error) {
      fault.textContent =
        error instanceof ServiceError && error.status === 400 ? error.message : explain(error);
      store.disabled = false;
    }
  }
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void send();
  });
  const store = h('button', {
    type: 'button',
    class: 'button',
    text: t('dispatch.create'),
    on: { click: () => void send() },
  });
  dialog.body.append(form);
  cancelOr(dialog, store);
  kind.focus();
}
