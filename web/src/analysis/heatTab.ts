/** 热力: what is asked, the surface or the hot spots, time, patterns, rises. */
import type { App } from '../core/app';
import { h, keepFocus, renew } from '../core/dom';
import { number } from '../core/format';
import type { Store } from '../core/store';
import { lang, t } from '../i18n';
import { choices, switchRow } from '../ui/parts';
import type { Tab } from '../ui/side';
import { rateChart } from './charts';
import type { Heating } from './heating';
import { risesList, spotsList } from './lists';
import type { HeatState, View } from './state';
import { timeline } from './timeline';
import type { PatternName } from './types';

const VIEWS: readonly View[] = ['surface', 'spots'];
const WIDTHS = ['150', '300', '500', '800', 'silverman'] as const;
const LASTS = [
  ['analysis.whole', 0],
  ['analysis.last90', 90],
  ['analysis.last30', 30],
] as const;

/** The day so many days before, as YYYY-MM-DD. */
export function daysBefore(day: string, days: number): string {
  const at = new Date(`${day}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() - days);
  return at.toISOString().slice(0, 10);
}

export function heatTab(app: App, heat: Store<HeatState>, heating: Heating, go: (code: string) => void): Tab {
  let host: HTMLElement | null = null;
  // What changes at its own pace has a place of its own.
  const parts = {
    asked: h('div'),
    shown: h('div'),
    time: h('div'),
    patterns: h('div'),
    lists: h('div'),
    rises: h('div'),
  };

  function classes(): HTMLElement {
    const { overview, kind } = heat.get();
    const list = h(
      'select',
      { id: 'heat-class', class: 'select', on: { change: () => heat.set({ kind: list.value }) } },
      h('option', { value: '', text: t('analysis.all') }),
      ...(overview?.classes ?? []).map((major) =>
        h(
          'optgroup',
          { label: lang() === 'en' ? major.name_en : major.name },
          h('option', {
            value: major.code || major.name,
            text: `${lang() === 'en' ? major.name_en : major.name} (${number(major.reports)})`,
          }),
          ...major.minors.map((minor) =>
            h('option', {
              value: minor.code || minor.name,
              text: `${minor.name} (${number(minor.reports)})`,
            }),
          ),
        ),
      ),
    );
    list.value = kind;
    return list;
  }

  function day(id: 'from' | 'to'): HTMLElement {
    const { overview } = heat.get();
    const input = h('input', {
      type: 'date',
      id: `heat-${id}`,
      class: 'field',
      min: overview?.from ?? null,
      max: overview?.to ?? null,
      on: {
        change: () => {
          const { from, to } = heat.get();
          // The other end gives way where the period would be turned round.
          if (id === 'from') heat.set({ from: input.value, to: to && input.value > to ? '' : to });
          else heat.set({ to: input.value, from: from && input.value && input.value < from ? '' : from });
        },
      },
    });
    input.value = heat.get()[id] || (overview?.[id] ?? '');
    return h(
      'div',
      {},
      h('label', { for: `heat-${id}`, class: 'field-label', text: t(`analysis.${id}`) }),
      input,
    );
  }

  function asked(): void {
    const { overview, from, to } = heat.get();
    const lasts = LASTS.map(([key, days]) => {
      const begin = days && overview ? daysBefore(overview.to, days - 1) : '';
      return h('button', {
        type: 'button',
        class: 'chip-button',
        'aria-pressed': String(from === begin && to === ''),
        text: t(key),
        on: { click: () => heat.set({ from: begin, to: '' }) },
      });
    });
    keepFocus(parts.asked, () =>
      renew(
        parts.asked,
        h('label', { for: 'heat-class', class: 'field-label', text: t('analysis.class') }),
        classes(),
        h('div', { class: 'two' }, day('from'), day('to')),
        h('div', { class: 'chips-row', role: 'group', 'aria-label': t('analysis.period') }, ...lasts),
      ),
    );
  }

  function shown(): void {
    const { view, bandwidth, smooth, surface } = heat.get();
    const width = h(
      'select',
      { id: 'heat-bandwidth', class: 'select', on: { change: () => heat.set({ bandwidth: width.value }) } },
      ...WIDTHS.map((value) =>
        h('option', {
          value,
          text:
            value === 'silverman'
              ? t('analysis.bandwidth.auto')
              : t('analysis.bandwidth.metres', { metres: value }),
        }),
      ),
    );
    width.value = bandwidth;
    keepFocus(parts.shown, () =>
      renew(
        parts.shown,
        surface &&
          h('p', {
            class: 'heat-count',
            text: t('analysis.reports', { count: number(surface.reports), days: number(surface.days) }),
          }),
        choices(
          'heat-view',
          t('analysis.view'),
          VIEWS.map((value) => ({ value, label: t(`analysis.${value}`) })),
          view,
          (value) => heat.set({ view: value }),
        ),
        view === 'surface' &&
          h('label', { for: 'heat-bandwidth', class: 'field-label', text: t('analysis.bandwidth') }),
        view === 'surface' && width,
        view === 'spots' &&
          switchRow('heat-smooth', t('analysis.smooth'), smooth, (on) => heat.set({ smooth: on })),
        view === 'spots' && h('p', { class: 'muted', text: t('analysis.smooth.about') }),
      ),
    );
  }

  function time(): void {
    const { view } = heat.get();
    renew(
      parts.time,
      view === 'surface' &&
        h('section', { class: 'block' }, h('h2', { text: t('analysis.time') }), timeline(heat, heating)),
    );
  }

  function patterns(): void {
    const { patterns: found } = heat.get();
    if (!found) {
      renew(parts.patterns);
      return;
    }
    const one = (name: PatternName, names: string[], ticks: string[]): HTMLElement =>
      h(
        'figure',
        { class: 'pattern' },
        h('figcaption', { text: t(`analysis.pattern.${name}`) }),
        rateChart(t(`analysis.pattern.${name}`), found[name], names, ticks),
      );
    const locale = lang() === 'zh' ? 'zh-CN' : 'en-GB';
    const named = (options: Intl.DateTimeFormatOptions, at: (k: number) => Date, count: number): string[] =>
      Array.from({ length: count }, (_, k) =>
        new Intl.DateTimeFormat(locale, { ...options, timeZone: 'UTC' }).format(at(k)),
      );
    const months = named({ month: 'long' }, (k) => new Date(Date.UTC(2024, k, 15)), 12);
    const weekdays = named({ weekday: 'long' }, (k) => new Date(Date.UTC(2024, 0, 1 + k)), 7);
    const hours = Array.from({ length: 24 }, (_, k) => `${k}:00–${k + 1}:00`);
    renew(
      parts.patterns,
      h(
        'section',
        { class: 'block', 'data-list': 'patterns' },
        h('h2', { text: t('analysis.patterns') }),
        one(
          'month',
          months,
          months.map((_, k) => String(k + 1)),
        ),
        one('weekday', weekdays, [...t('analysis.weekdays')]),
        one(
          'hour',
          hours,
          hours.map((_, k) => (k % 6 === 0 ? String(k) : '')),
        ),
        h('p', { class: 'muted', text: t('analysis.patterns.note') }),
      ),
    );
  }

  function lists(): void {
    renew(parts.lists, heat.get().view === 'spots' && spotsList(app, heat, go));
  }

  function rises(): void {
    keepFocus(parts.rises, () => renew(parts.rises, risesList(app, heat, go)));
  }

  function draw(): void {
    if (!host) return;
    if (!app.catalog.overview.generation || app.catalog.overview.counts.reports === 0) {
      renew(host, h('p', { class: 'muted pad', text: t('analysis.absent') }));
      return;
    }
    for (const part of [asked, shown, time, patterns, lists, rises]) part();
    renew(host, parts.asked, parts.shown, parts.time, parts.lists, parts.rises, parts.patterns);
  }
  heat.on(['overview', 'from', 'to'], asked);
  heat.on(['view', 'surface'], shown);
  heat.on(['view'], time);
  heat.on(['patterns'], patterns);
  heat.on(['view', 'spots'], lists);
  heat.on(['rises', 'risesFault', 'days'], rises);
  heat.on(['loading'], ({ loading }) => host?.setAttribute('aria-busy', String(loading > 0)));

  return {
    key: 'heat',
    icon: 'flame',
    label: 'panel.heat',
    render(body) {
      host = body;
      draw();
    },
  };
}
