/** 选址: asks for new sites as a job, follows it, shows what was found on the map and as a table. */
import type { Feature as Json, Point as JsonPoint } from 'geojson';
import { buffer } from 'ol/extent';
import Feature from 'ol/Feature';
import Point from 'ol/geom/Point';
import VectorLayer from 'ol/layer/Vector';
import type OlMap from 'ol/Map';
import { fromLonLat } from 'ol/proj';
import VectorSource from 'ol/source/Vector';
import CircleStyle from 'ol/style/Circle';
import Fill from 'ol/style/Fill';
import Stroke from 'ol/style/Stroke';
import Style from 'ol/style/Style';
import Text from 'ol/style/Text';
import type { App } from '../core/app';
import { address, getJson, postJson, sendJson } from '../core/client';
import { h, keepFocus, renew } from '../core/dom';
import { number, percent } from '../core/format';
import type { Job } from '../core/types';
import { labelOf, t } from '../i18n';
import { FONT } from '../map/theme';
import { byTier } from '../ui/layersTab';
import { bar, choices } from '../ui/parts';
import type { Tab } from '../ui/side';
import { explain } from '../ui/toasts';
import type { SiteProperties, SitesResult } from './types';

const METHODS = ['cover', 'least', 'median'] as const;
const WEIGHTS = ['residents', 'elderly', 'buildings'] as const;
const PLACES = ['corners', 'units'] as const;
const LOOK_MS = 700;
const SHOWN = 100;
const COLOR = '#8a1466';

type Running = Job & {
  eta?: number | null;
  result?: SitesResult | null;
  links?: { rel: string; href: string }[];
};

export interface Siting {
  tab: Tab;
  source: VectorSource;
}

export function siting(map: OlMap, app: App, show: (extent: number[], zoom?: number) => void): Siting {
  const source = new VectorSource();
  const chosen = new Set<string>();
  const asked = {
    method: 'cover' as (typeof METHODS)[number],
    count: 3,
    minutes: '',
    weight: 'residents' as (typeof WEIGHTS)[number],
    candidates: 'corners' as (typeof PLACES)[number],
  };
  let host: HTMLElement | null = null;
  let job: Running | null = null;
  let message = '';
  let pointed = '';
  const keyOf = ({ category, rank }: SiteProperties): string => `${category}-${rank}`;
  const layer = new VectorLayer({
    source,
    zIndex: 60,
    style: (feature) => {
      const here = feature.get('key') === pointed;
      return new Style({
        zIndex: here ? 1 : 0,
        image: new CircleStyle({
          radius: here ? 15 : 12,
          fill: new Fill({ color: COLOR }),
          stroke: new Stroke({ color: '#fff', width: here ? 3.5 : 2.2 }),
        }),
        text: new Text({
          text: String(feature.get('rank')),
          font: `600 12px ${FONT}`,
          fill: new Fill({ color: '#fff' }),
        }),
      });
    },
  });
  map.addLayer(layer);
  const follow = (): void => layer.setVisible(app.store.get().panel === 'siting');
  app.store.on(['panel'], follow);
  follow();

  function place(result: SitesResult): void {
    source.clear();
    source.addFeatures(
      result.sites.features.map((site) => {
        const at = (site as Json<JsonPoint, SiteProperties>).geometry.coordinates;
        const feature = new Feature(new Point(fromLonLat(at)));
        feature.setProperties({ ...site.properties, key: keyOf(site.properties) }, true);
        return feature;
      }),
    );
    const extent = source.getExtent();
    if (extent && source.getFeatures().length > 0) show(buffer(extent, 400), 15.5);
  }

  async function run(): Promise<void> {
    if (chosen.size === 0) {
      message = t('siting.choose');
      draw();
      return;
    }
    message = '';
    const { method, count, minutes, weight, candidates } = asked;
    try {
      const queued = await postJson<{ id: number }>(address('circles/sites'), {
        categories: [...chosen],
        method,
        weight,
        candidates,
        ...(method === 'least' ? {} : { count }),
        ...(minutes === '' ? {} : { minutes: Number(minutes) }),
      });
      job = { id: queued.id, state: 'queued', share: 0, error: null };
      draw();
      await watch(queued.id);
    } catch (error) {
      job = null;
      message = explain(error);
      draw();
    }
  }

  async function watch(id: number): Promise<void> {
    while (job && job.id === id && (job.state === 'queued' || job.state === 'running')) {
      await new Promise((done) => setTimeout(done, LOOK_MS));
      const found: Running = await getJson<Running>(address(`jobs/${id}`));
      if (job?.id !== id) return;
      job = found;
      draw();
    }
    if (job?.state === 'done' && job.result) place(job.result);
    if (job?.state === 'failed') {
      const fault = typeof job.error === 'string' ? job.error : job.error?.message;
      message = t('siting.failed', { message: fault ?? '' });
    }
    if (job?.state === 'cancelled') message = t('siting.cancelled');
    draw();
  }

  async function cancel(): Promise<void> {
    if (job) await sendJson('DELETE', address(`jobs/${job.id}`));
  }

  function kinds(): HTMLElement {
    const box = ({ category, name_zh, name_en }: (typeof app.catalog.categories)[number]): HTMLElement => {
      const input = h('input', {
        type: 'checkbox',
        id: `site-${category}`,
        on: {
          change: () => {
            if (input.checked) chosen.add(category);
            else chosen.delete(category);
            draw();
          },
        },
      });
      input.checked = chosen.has(category);
      return h('label', { class: 'tick' }, input, h('span', { text: labelOf(name_zh, name_en) }));
    };
    return h(
      'div',
      { class: 'ticks', tabindex: '0', role: 'group', 'aria-label': t('siting.categories') },
      ...byTier(app.catalog.categories).map(([minutes, rows]) =>
        h('fieldset', {}, h('legend', { text: t('facilities.tier', { minutes }) }), ...rows.map(box)),
      ),
    );
  }

  function numbers(): HTMLElement {
    const count = h('input', {
      type: 'number',
      id: 'site-count',
      class: 'field',
      min: 1,
      max: 50,
      value: asked.count,
      on: {
        change: () => {
          asked.count = Math.min(50, Math.max(1, Math.round(Number(count.value) || 1)));
          count.value = String(asked.count);
        },
      },
    });
    const minutes = h('input', {
      type: 'number',
      id: 'site-minutes',
      class: 'field',
      min: 1,
      max: 60,
      placeholder: t('siting.minutes.own'),
      value: asked.minutes,
      on: { change: () => (asked.minutes = minutes.value) },
    });
    return h(
      'div',
      { class: 'two' },
      asked.method !== 'least' &&
        h('div', {}, h('label', { for: 'site-count', class: 'field-label', text: t('siting.count') }), count),
      h(
        'div',
        {},
        h('label', { for: 'site-minutes', class: 'field-label', text: t('siting.minutes') }),
        minutes,
      ),
    );
  }

  function pick<V extends string>(
    name: 'method' | 'weight' | 'candidates',
    values: readonly V[],
    now: V,
    set: (value: V) => void,
  ): HTMLElement[] {
    const label = t(`siting.${name}`);
    const options = values.map((value) => ({
      value,
      label: t(`siting.${name}.${value}` as Parameters<typeof t>[0]),
    }));
    return [h('p', { class: 'field-label', text: label }), choices(`site-${name}`, label, options, now, set)];
  }

  function progress(): HTMLElement | null {
    if (!job || (job.state !== 'queued' && job.state !== 'running')) return null;
    const share = percent(job.share ?? 0);
    const eta = job.eta
      ? t('siting.stage', { share, eta: Math.ceil(job.eta) })
      : t('siting.working', { share });
    return h(
      'div',
      { class: 'job', role: 'status' },
      bar(job.share ?? 0),
      h('p', { class: 'muted', text: eta }),
      h('button', {
        type: 'button',
        id: 'site-cancel',
        class: 'button button-quiet',
        text: t('siting.cancel'),
        on: { click: () => void cancel() },
      }),
    );
  }

  function gain(row: SiteProperties): number {
    return row[`newly_covered_${asked.weight}`] ?? 0;
  }

  function result(): HTMLElement | null {
    if (job?.state !== 'done' || !job.result) return null;
    const { sites, categories, proven } = job.result;
    const output = job.links?.find(({ rel }) => rel === 'output');
    const named = new Map(
      app.catalog.categories.map((row) => [row.category, labelOf(row.name_zh, row.name_en)]),
    );
    const lines = categories.map((row) => {
      const name = named.get(row.category) ?? row.category;
      const all = Number(row[`${asked.weight}_assessed`]);
      const before = Number(row[`${asked.weight}_before`]);
      const after = Number(row[`${asked.weight}_after`]);
      const told =
        asked.method === 'median' || !all
          ? t('siting.minutesMean', {
              name,
              before: number(Math.round(Number(row.mean_minutes_before) * 10) / 10),
              after: number(Math.round(Number(row.mean_minutes_after) * 10) / 10),
            })
          : t('siting.coverage', { name, before: percent(before / all), after: percent(after / all) });
      return h('li', { text: told });
    });
    const gap = Math.max(...categories.map((row) => row.gap ?? 0));
    const go = (site: Json<JsonPoint, SiteProperties>): void => {
      pointed = keyOf(site.properties);
      layer.changed();
      const at = fromLonLat(site.geometry.coordinates);
      show(buffer([...at, ...at], 250), 16.5);
      draw();
    };
    const rows = (sites.features as Json<JsonPoint, SiteProperties>[]).map((site) => {
      const { properties } = site;
      const key = keyOf(properties);
      return h(
        'tr',
        { 'data-key': key, class: key === pointed ? 'row-chosen' : '' },
        h(
          'td',
          {},
          h('button', {
            type: 'button',
            id: `go-${key}`,
            class: 'rank-button',
            text: String(properties.rank),
            on: { click: () => go(site) },
          }),
        ),
        h('td', { text: labelOf(properties.name_zh, properties.name_en) }),
        h('td', { class: 'amount-cell', text: `+${number(gain(properties))}` }),
      );
    });
    return h(
      'section',
      { class: 'block', 'data-list': 'sites' },
      h(
        'h2',
        { text: t('siting.result') },
        h('small', {
          class: proven ? 'badge-good' : 'badge',
          text: proven ? t('siting.proven') : t('siting.gap', { gap: percent(gap) }),
        }),
      ),
      h('ul', { class: 'facts' }, ...lines),
      rows.length === 0
        ? h('p', { class: 'calm', text: t('siting.nothing') })
        : h(
            'table',
            { class: 'small-table' },
            h(
              'thead',
              {},
              h(
                'tr',
                {},
                h('th', { scope: 'col', text: t('siting.rank') }),
                h('th', { scope: 'col', text: t('siting.category') }),
                h('th', { scope: 'col', class: 'amount-cell', text: t(`siting.gain.${asked.weight}`) }),
              ),
            ),
            h('tbody', {}, ...rows),
          ),
      rows.length >= SHOWN && h('p', { class: 'muted', text: t('siting.more', { count: SHOWN }) }),
      output &&
        h('a', {
          class: 'download-link',
          href: address(`jobs/${job.id}/output`).href,
          download: '',
          text: t('siting.download'),
        }),
    );
  }

  function draw(): void {
    const body = host;
    if (!body) return;
    const running = job?.state === 'queued' || job?.state === 'running';
    // The list of kinds keeps its place while it is ticked.
    const scrolled = body.querySelector('.ticks')?.scrollTop ?? 0;
    keepFocus(body, () =>
      renew(
        body,
        h('p', { class: 'muted', text: t('siting.intro') }),
        h(
          'p',
          { class: 'field-label' },
          t('siting.categories'),
          chosen.size > 0 &&
            h('small', { class: 'count-note', text: t('siting.chosen', { count: chosen.size }) }),
        ),
        kinds(),
        ...pick('method', METHODS, asked.method, (value) => {
          asked.method = value;
          draw();
        }),
        h('p', { class: 'muted', text: t(`siting.method.${asked.method}.about`) }),
        numbers(),
        ...pick('weight', WEIGHTS, asked.weight, (value) => (asked.weight = value)),
        ...pick('candidates', PLACES, asked.candidates, (value) => (asked.candidates = value)),
        h('button', {
          type: 'button',
          id: 'site-run',
          class: 'button button-wide',
          disabled: running,
          text: t('siting.run'),
          on: { click: () => void run() },
        }),
        message !== '' && h('p', { class: 'fault', role: 'alert', text: message }),
        progress(),
        result(),
      ),
    );
    const ticks = body.querySelector('.ticks');
    if (ticks) ticks.scrollTop = scrolled;
  }

  return {
    source,
    tab: {
      key: 'siting',
      icon: 'pin',
      label: 'panel.siting',
      render(body) {
        host = body;
        draw();
      },
    },
  };
}
