/** What the table shows: a layer's rows page by page, those found by a click on the map, the row chosen. */
import type { Feature } from 'geojson';
import { address, getJson, isAbort, nextPage } from '../core/client';
import { createStore, type Store } from '../core/store';
import type { Bbox } from '../core/types';
import { lang } from '../i18n';
import { type Condition, filterText } from './conditions';
import type { GenerationRow, ItemsPage, LayerInfo } from './types';

const PAGE = 100;

export interface TableState {
  layers: LayerInfo[];
  layer: LayerInfo | null;
  open: boolean;
  inView: boolean;
  conditions: readonly Condition[];
  sort: { name: string; down: boolean } | null;
  rows: readonly Feature[];
  matched: number;
  more: URL | null;
  loading: boolean;
  /** Id of the row chosen. */
  chosen: string | null;
  generations: readonly GenerationRow[];
  /** Generation looked at in place of the one in force. */
  past: GenerationRow | null;
}

export interface Tabling {
  state: Store<TableState>;
  open(): Promise<void>;
  reload(): void;
  more(): Promise<void>;
  /** Find the row at a place, loading it where it is not on a page yet. */
  at(box: Bbox): Promise<void>;
  download(format: string): string;
}

export const idOf = (feature: Feature): string => String(feature.id ?? '');

export function startTabling(view: () => Bbox, onError: (error: unknown) => void): Tabling {
  const state = createStore<TableState>({
    layers: [],
    layer: null,
    open: true,
    inView: false,
    conditions: [],
    sort: null,
    rows: [],
    matched: 0,
    more: null,
    loading: false,
    chosen: null,
    generations: [],
    past: null,
  });
  let asked: AbortController | null = null;
  let opened = false;

  const inBox = (box: Bbox): string => box.map((value) => value.toFixed(7)).join(',');

  /** What chooses rows, for pages and downloads alike. */
  function choosing(box: Bbox | null): Record<string, string> {
    const { conditions, layer, past } = state.get();
    const filter = filterText(conditions);
    return {
      ...(filter ? { filter } : {}),
      ...(box ? { bbox: inBox(box) } : {}),
      ...(past && (layer?.base ?? layer?.name) === 'grids' ? { datetime: past.published_at } : {}),
    };
  }

  function items(words: Record<string, string>): URL {
    const url = new URL(`ogc/collections/${state.get().layer?.name ?? ''}/items`, document.baseURI);
    for (const [name, value] of Object.entries(words)) url.searchParams.set(name, value);
    return url;
  }

  async function take(url: URL, before: readonly Feature[]): Promise<void> {
    asked?.abort();
    const mine = new AbortController();
    asked = mine;
    state.set({ loading: true });
    try {
      const page = await getJson<ItemsPage>(url, mine.signal);
      if (mine.signal.aborted) return;
      const next = page.links.find(({ rel }) => rel === 'next')?.href;
      const held = new Set(before.map(idOf));
      const rows = [...before, ...page.features.filter((row) => !held.has(idOf(row)))];
      state.set({
        rows,
        matched: Math.max(page.numberMatched ?? 0, rows.length),
        more: next && page.features.length > 0 ? nextPage(next, url.href) : null,
      });
    } catch (error) {
      if (!isAbort(error)) onError(error);
    } finally {
      if (asked === mine) state.set({ loading: false });
    }
  }

  function reload(): void {
    const { layer, sort, inView } = state.get();
    if (!layer) return;
    const sortby: Record<string, string> = sort ? { sortby: `${sort.down ? '-' : '+'}${sort.name}` } : {};
    void take(items({ limit: String(PAGE), ...sortby, ...choosing(inView ? view() : null) }), []);
  }

  state.on(['layer', 'inView', 'conditions', 'sort', 'past'], reload);
  return {
    state,
    async open() {
      if (opened) return;
      opened = true;
      try {
        const { layers } = await getJson<{ layers: LayerInfo[] }>(address('layers'));
        const offered = layers.filter(({ picture_only, base }) => !picture_only && !base);
        state.set({ layers: offered });
        const first = offered.find(({ name }) => name === 'grids') ?? offered[0] ?? null;
        state.set({ layer: first, conditions: [], sort: null });
      } catch (error) {
        opened = false;
        onError(error);
      }
    },
    reload,
    async more() {
      const { more, rows } = state.get();
      if (more) await take(more, rows);
    },
    async at(box) {
      try {
        const page = await getJson<ItemsPage>(items({ limit: '1', ...choosing(box) }));
        const [found] = page.features;
        if (!found) return;
        const { rows } = state.get();
        const known = rows.some((row) => idOf(row) === idOf(found));
        state.set({ rows: known ? rows : [found, ...rows], chosen: idOf(found) });
      } catch (error) {
        onError(error);
      }
    },
    download(format) {
      const { layer, inView } = state.get();
      const words = { format, lang: lang(), ...choosing(inView ? view() : null) };
      return address(`layers/${layer?.name ?? ''}/download`, words).href;
    },
  };
}
