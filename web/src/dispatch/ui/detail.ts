/** A report that is open: what it is, where it stands in the loop, what can be done with it, what happened. */

import type { App } from '../../core/app';
import { h, icon, iconButton, keepFocus, renew } from '../../core/dom';
import { onLang, t } from '../../i18n';
import { may, session } from '../../ui/session';
import type { DispatchStore } from '../state';
import { CLOSED, type Opened, type Stage, STAGES } from '../types';
import { gridName, stageName, when, word } from '../words';
import { historyList } from './history';
import { createReassignForm, type ReassignForm } from './reassignForm';

export interface DetailActions {
  back(): void;
  step(by: 1 | -1): void;
  show(): void;
  move(on: boolean): void;
  reassign(grid: string, reason: string, stage: Stage | null): Promise<boolean>;
  bring(stage: Stage, note: string, reopen: boolean): Promise<boolean>;
}

export interface Detail {
  element: HTMLElement;
  /** Put the keyboard where the work goes on. */
  focus(): void;
}

export function createDetail(app: App, store: DispatchStore, actions: DetailActions): Detail {
  const element = h('section', { class: 'detail', hidden: true, tabindex: '-1' });
  let form: ReassignForm | null = null;

  const head = (id: number): HTMLElement =>
    h(
      'div',
      { class: 'detail-head' },
      h('button', {
        id: 'detail-back',
        type: 'button',
        class: 'text-button',
        text: `‹ ${t('dispatch.back')}`,
        'aria-keyshortcuts': 'Escape',
        on: { click: actions.back },
      }),
      h('span', { class: 'muted', text: t('dispatch.report', { id }) }),
      h(
        'span',
        { class: 'detail-steps' },
        iconButton('left', `${t('dispatch.previous')} (K)`, () => actions.step(-1)),
        iconButton('right', `${t('dispatch.next')} (J)`, () => actions.step(1)),
      ),
    );

  function loop(stage: Stage): HTMLElement {
    const now = STAGES.indexOf(stage);
    return h(
      'ol',
      { class: 'loop', 'aria-label': t('dispatch.stages') },
      ...STAGES.map((each, at) =>
        h(
          'li',
          {
            class: at < now ? 'is-done' : at === now ? 'is-now' : '',
            'aria-current': at === now ? 'step' : null,
          },
          h('span', { text: stageName(each) }),
        ),
      ),
    );
  }

  function facts({ report }: Opened): HTMLElement {
    const p = report.properties;
    const rows: [string, string, string?][] = [
      [
        t('dispatch.grid'),
        p.grid_code ? gridName(app, p.grid_code, p.located.grid_name ?? null) : t('dispatch.noGrid'),
        p.grid_code ?? '',
      ],
      [t('dispatch.agency'), p.agency],
      [t('dispatch.address'), p.address],
      [t('dispatch.component'), p.component_code],
      [t('dispatch.reported'), when(p.reported_at)],
      [t('dispatch.channel'), p.channel],
      [t('dispatch.number'), p.report_id],
    ];
    return h(
      'dl',
      { class: 'report-facts' },
      ...rows
        .filter(([, text]) => text !== '')
        .map(([label, text, code]) =>
          h('div', {}, h('dt', { text: label }), h('dd', {}, text, code ? h('code', { text: code }) : null)),
        ),
    );
  }

  function work({ report }: Opened): HTMLElement {
    const { stage } = report.properties;
    if (!may('dispatch')) return h('div', {});
    const closed = stage === CLOSED;
    const next = STAGES[STAGES.indexOf(stage) + 1];
    const note = h('textarea', {
      id: 'stage-note',
      class: 'field',
      rows: '1',
      maxlength: '2000',
      'aria-label': t('dispatch.stageNote'),
    });
    note.placeholder = t('dispatch.stageNote');
    const bring = (to: Stage, reopen = false): void => {
      void actions.bring(to, note.value.trim(), reopen).then(() => focus());
    };
    const others = h('select', {
      id: 'stage-other',
      class: 'field',
      'aria-label': t('dispatch.otherStage'),
      on: {
        change: () => {
          if (others.value) bring(others.value as Stage, closed);
        },
      },
    });
    renew(
      others,
      h('option', { value: '', text: closed ? t('dispatch.reopen') : t('dispatch.otherStage') }),
      ...STAGES.filter((each) => each !== stage && each !== next).map((each) =>
        h('option', { value: each, text: stageName(each) }),
      ),
    );
    return h(
      'div',
      { class: 'work' },
      closed
        ? null
        : h(
            'button',
            {
              id: 'detail-move',
              type: 'button',
              class: 'button work-move',
              'aria-keyshortcuts': 'R',
              on: { click: () => actions.move(true) },
            },
            t('dispatch.move'),
            h('kbd', { class: 'key', 'aria-hidden': 'true', text: 'R' }),
          ),
      note,
      h(
        'div',
        { class: 'work-stages' },
        next &&
          h(
            'button',
            {
              id: 'detail-next',
              type: 'button',
              class: 'button button-plain',
              'aria-keyshortcuts': 'S',
              on: { click: () => bring(next) },
            },
            t('dispatch.toStage', { stage: stageName(next) }),
            h('kbd', { class: 'key', 'aria-hidden': 'true', text: 'S' }),
          ),
        others,
      ),
    );
  }

  function body(opened: Opened): (HTMLElement | null)[] {
    const p = opened.report.properties;
    const tag = (kind: string, text: string): HTMLElement => h('span', { class: `tag tag-${kind}`, text });
    return [
      h(
        'div',
        { class: 'detail-title' },
        h('h2', { text: p.minor || word(p.major) }),
        p.located.near_border ? tag('near', t('dispatch.near')) : null,
        p.located.by_hand ? tag('hand', t('dispatch.byHand')) : null,
        iconButton('target', t('dispatch.showPlace'), actions.show),
      ),
      h('p', { class: 'muted', text: word(p.major) }),
      p.description ? h('p', { class: 'detail-text', text: p.description }) : null,
      loop(p.stage),
      form ? form.element : work(opened),
      facts(opened),
      historyList(app, opened),
    ];
  }

  const scrolled = h('div', { class: 'detail-body' });
  const top = h('div', {});
  renew(element, top, scrolled);

  function draw(): void {
    const { open, opened, moving } = store.get();
    element.hidden = open === null;
    if (open === null) {
      form = null;
      return;
    }
    if (!moving || !opened || !may('dispatch')) form = null;
    else if (!form || form.element.dataset['tag'] !== opened.tag) {
      const send = { send: actions.reassign, cancel: () => actions.move(false) };
      form = createReassignForm(app, store, opened, send, form?.written());
      form.element.dataset['tag'] = opened.tag;
    }
    element.setAttribute('aria-label', t('dispatch.report', { id: open }));
    keepFocus(element, () => {
      renew(top, head(open));
      if (opened) renew(scrolled, ...body(opened));
      else
        renew(
          scrolled,
          h('p', { class: 'muted pad', role: 'status', text: t('dispatch.loadingRow') }),
          icon('target'),
        );
    });
  }

  function focus(): void {
    const wanted = form
      ? null
      : (element.querySelector<HTMLElement>('#detail-move') ??
        element.querySelector<HTMLElement>('#detail-back') ??
        element);
    if (form) form.focus();
    else wanted?.focus({ preventScroll: true });
  }

  let number: number | null = null;
  store.on(['open', 'opened', 'moving'], ({ open }) => {
    draw();
    if (open !== number) scrolled.scrollTop = 0;
    number = open;
  });
  store.on(['target', 'choices'], () => form?.follow());
  session.on(['me'], draw);
  onLang(() => {
    form = null;
    draw();
  });
  return { element, focus };
}
