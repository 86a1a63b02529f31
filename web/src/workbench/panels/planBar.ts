/** The bar over the map: which plan, how it is saved, undo and redo, and what can be done with the whole of it. */
import { h, icon, renew } from '../../core/dom';
import { onLang, t } from '../../i18n';
import type { TextKey } from '../../i18n/texts';
import type { SyncState } from '../model';
import { toolIcon, type ToolIcon } from '../tools/icons';
import type { Bench } from '../tools/types';

export interface PlanFacts {
  id: number;
  name: string;
  area_name: string;
  area_name_en: string | null;
  status: 'draft' | 'published';
  band: { low: number; high: number };
}

export interface Deeds {
  rename(name: string): Promise<void>;
  compare(): void;
  comments(): void;
  share(): void;
  print(): void;
  duplicate(): void;
  measure(): void;
  publish(): void;
  keys(): void;
  conflicts(): void;
}

const DEEDS: readonly [Exclude<keyof Deeds, 'rename' | 'conflicts'>, ToolIcon][] = [
  ['compare', 'compare'],
  ['comments', 'comment'],
  ['share', 'share'],
  ['print', 'print'],
  ['keys', 'keys'],
];

export function createPlanBar(
  bench: Bench,
  plan: PlanFacts,
  mayEdit: () => boolean,
  deeds: Deeds,
): HTMLElement {
  const { model, sync, ui } = bench;
  const name = h('input', {
    id: 'plan-name',
    class: 'plan-name',
    type: 'text',
    maxlength: '120',
    value: plan.name,
  });
  const facts = h('span', { class: 'plan-facts' });
  const state = h('span', { class: 'save-state', role: 'status' });
  const levels = h('select', { id: 'plan-level', class: 'field plan-level' });
  const undo = h('button', { type: 'button', id: 'undo', class: 'icon-button' }, toolIcon('undo'));
  const redo = h('button', { type: 'button', id: 'redo', class: 'icon-button' }, toolIcon('redo'));
  const does = h('div', { class: 'plan-deeds', role: 'group' });
  const bar = h('div', { class: 'plan-bar' }, name, facts, levels, state, undo, redo, does);

  undo.addEventListener('click', () => bench.undo());
  redo.addEventListener('click', () => bench.redo());
  levels.addEventListener('change', () => ui.set({ level: Number(levels.value), current: -1 }));
  const rename = (): void => {
    const wanted = name.value.trim();
    if (!wanted || wanted === plan.name) name.value = plan.name;
    else
      void deeds.rename(wanted).then(
        () => (plan.name = wanted),
        () => (name.value = plan.name),
      );
  };
  name.addEventListener('change', rename);
  name.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') name.value = plan.name;
    if (event.key === 'Enter' || event.key === 'Escape') name.blur();
  });

  function sayState(now: SyncState): void {
    const { status } = now;
    const text =
      plan.status === 'published'
        ? t('workbench.published')
        : status === 'conflict'
          ? t('workbench.conflict', { count: now.conflicts })
          : status === 'refused'
            ? t('workbench.refused', { message: now.error?.message ?? '' })
            : t(`workbench.${status}`);
    state.className = `save-state is-${plan.status === 'published' ? 'published' : status}`;
    state.dataset['status'] = status;
    state.title = text;
    renew(
      state,
      h('span', { class: 'save-dot', 'aria-hidden': 'true' }),
      status === 'conflict'
        ? h('button', { type: 'button', class: 'text-button', text, on: { click: deeds.conflicts } })
        : h('span', { class: 'save-text', text }),
      (status === 'offline' || status === 'refused') &&
        h('button', {
          type: 'button',
          class: 'text-button',
          text: t('workbench.retry'),
          on: { click: () => void sync.save() },
        }),
    );
    sayFacts(now.version);
  }

  function sayFacts(version: number): void {
    const band = t('workbench.bandOf', { low: plan.band.low, high: plan.band.high });
    const area = (document.documentElement.lang === 'en' && plan.area_name_en) || plan.area_name;
    const parts = [area, band, t('workbench.version', { version })];
    renew(facts, ...parts.map((text) => h('span', { text })));
    facts.title = parts.join(' · ');
  }

  function sayHistory(): void {
    undo.disabled = !model.canUndo;
    redo.disabled = !model.canRedo;
  }

  function say(): void {
    name.setAttribute('aria-label', t('workbench.name'));
    name.readOnly = !mayEdit();
    for (const [button, key, letters] of [
      [undo, 'workbench.undo', 'Ctrl+Z'],
      [redo, 'workbench.redo', 'Ctrl+Y'],
    ] as const) {
      button.setAttribute('aria-label', t(key));
      button.title = `${t(key)} (${letters})`;
    }
    levels.setAttribute('aria-label', t('workbench.level'));
    levels.hidden = model.levels.length < 2;
    renew(
      levels,
      ...model.levels.map(({ level }) =>
        h('option', {
          value: level,
          selected: level === ui.get().level,
          text: t('workbench.levelOf', { level }),
        }),
      ),
    );
    does.setAttribute('aria-label', t('workbench.actions'));
    renew(
      does,
      ...DEEDS.map(([deed, image]) =>
        h(
          'button',
          {
            type: 'button',
            id: `deed-${deed}`,
            class: 'deed',
            title: t(`workbench.${deed}` as TextKey),
            'aria-label': t(`workbench.${deed}` as TextKey),
            on: { click: deeds[deed] },
          },
          toolIcon(image),
          h('span', { class: 'deed-name', text: t(`workbench.${deed}` as TextKey) }),
        ),
      ),
      ...(
        [
          ['duplicate', 'copy'],
          ['measure', 'ruler'],
        ] as const
      ).map(([deed, image]) =>
        h(
          'button',
          {
            type: 'button',
            id: `deed-${deed}`,
            class: 'deed',
            title: t(`workbench.${deed}`),
            'aria-label': t(`workbench.${deed}`),
            on: { click: deeds[deed] },
          },
          icon(image),
          h('span', { class: 'deed-name', text: t(`workbench.${deed}`) }),
        ),
      ),
      plan.status === 'draft' &&
        h('button', {
          type: 'button',
          id: 'deed-publish',
          class: 'button',
          disabled: !mayEdit(),
          text: t('workbench.publish'),
          on: { click: deeds.publish },
        }),
    );
    sayState(sync.state);
  }

  sync.onState(sayState);
  ui.on(['revision'], sayHistory);
  onLang(say);
  say();
  sayHistory();
  return bar;
}
