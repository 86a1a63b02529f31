/** Asks for what the heat tab shows whenever the question changes, and plays the steps of time. */
import { address, ask, getJson, isAbort, ServiceError } from '../core/client';
import type { Store } from '../core/store';
import type { HeatState, Picture } from './state';
import type {
  FramesAnswer,
  HeatOverview,
  PatternsAnswer,
  RisesAnswer,
  SpotsAnswer,
  SurfaceAnswer,
} from './types';

const FRAME_MS = 900;
const KEPT = 60;

export interface Heating {
  /** Ask for the first time. */
  open(): Promise<void>;
  play(on: boolean): void;
}

export function startHeating(heat: Store<HeatState>, onError: (error: unknown) => void): Heating {
  let asked: AbortController | null = null;
  let rising: AbortController | null = null;
  let opened = false;
  let timer: number | undefined;
  let drawing = 0;
  /** Pictures of this question by their period. */
  let pictures = new Map<string, Promise<Picture>>();

  const filter = (): Record<string, string> => {
    const { kind, from, to } = heat.get();
    return { class: kind, from, to };
  };
  const count = (step: number): void => heat.set({ loading: heat.get().loading + step });

  async function forget(): Promise<void> {
    const old = pictures;
    pictures = new Map();
    const shown = heat.get().picture?.url;
    for (const picture of old.values()) {
      const made = await picture.catch(() => null);
      if (made && made.url !== shown) URL.revokeObjectURL(made.url);
    }
  }

  async function fetchPicture(words: Record<string, string>): Promise<Picture> {
    const response = await ask(address('heat/surface', { ...words, format: 'png' }));
    const extent = (response.headers.get('X-Gisgrid-Extent') ?? '').split(',').map(Number);
    return { url: URL.createObjectURL(await response.blob()), extent };
  }

  /** The picture of a step (null: the whole period), all steps on one scale. */
  function picture(frame: number | null): Promise<Picture> {
    const { frames, surface, bandwidth } = heat.get();
    const part = frame === null ? null : (frames?.frames[frame] ?? null);
    const period: Record<string, string> = part ? { from: part.from, to: part.to } : {};
    const breaks = ((part ? frames?.breaks : surface?.breaks) ?? []).join(',');
    const words = { ...filter(), ...period, bandwidth: String(surface?.bandwidth ?? bandwidth), breaks };
    const key = JSON.stringify(words);
    let made = pictures.get(key);
    if (!made) {
      made = fetchPicture(words);
      pictures.set(key, made);
      made.catch(() => pictures.delete(key));
      const [oldest] = pictures.keys();
      if (pictures.size > KEPT && oldest !== undefined) pictures.delete(oldest);
    }
    return made;
  }

  async function draw(): Promise<void> {
    const { view, frame, surface } = heat.get();
    if (view !== 'surface' || !surface) return;
    drawing += 1;
    const mine = drawing;
    try {
      const made = await picture(frame);
      if (mine === drawing) heat.set({ picture: made });
    } catch (error) {
      if (!isAbort(error)) onError(error);
    }
  }

  async function load(): Promise<void> {
    asked?.abort();
    const mine = new AbortController();
    asked = mine;
    const { view, bandwidth, smooth, step } = heat.get();
    const words = filter();
    play(false);
    void forget();
    heat.set({ frame: null });
    count(1);
    try {
      const { signal } = mine;
      const surfaces = Promise.all([
        getJson<SurfaceAnswer>(address('heat/surface', { ...words, bandwidth }), signal),
        getJson<FramesAnswer>(address('heat/frames', { ...words, bandwidth, step }), signal),
      ]);
      const [[surface, frames], patterns, spots] = await Promise.all([
        surfaces,
        getJson<PatternsAnswer>(address('heat/patterns', words), signal),
        view === 'spots'
          ? getJson<SpotsAnswer>(address('heat/grids', { ...words, smooth: String(smooth) }), signal)
          : Promise.resolve(heat.get().spots),
      ]);
      if (signal.aborted) return;
      heat.set({ surface, frames, patterns, spots });
      await draw();
    } catch (error) {
      if (!isAbort(error)) onError(error);
    } finally {
      count(-1);
    }
  }

  async function loadRises(): Promise<void> {
    rising?.abort();
    const mine = new AbortController();
    rising = mine;
    const { kind, to, days } = heat.get();
    try {
      const words = { class: kind, to, days, limit: 40 };
      const rises = await getJson<RisesAnswer>(address('heat/rises', words), mine.signal);
      if (!mine.signal.aborted) heat.set({ rises, risesFault: null });
    } catch (error) {
      if (isAbort(error)) return;
      // A short period is no fault of the page: the list says why it is empty.
      if (error instanceof ServiceError && error.status === 400) {
        heat.set({ rises: null, risesFault: error.message });
      } else onError(error);
    }
  }

  function play(on: boolean): void {
    window.clearTimeout(timer);
    if (heat.get().playing !== on) heat.set({ playing: on });
    if (on) void next();
  }

  async function next(): Promise<void> {
    const { frames, frame, playing } = heat.get();
    const count_ = frames?.frames.length ?? 0;
    if (!playing || count_ === 0) return;
    const at = ((frame ?? -1) + 1) % count_;
    await picture(at).catch(onError);
    if (!heat.get().playing) return;
    heat.set({ frame: at });
    void picture((at + 1) % count_).catch(() => undefined);
    timer = window.setTimeout(() => void next(), FRAME_MS);
  }

  heat.on(['kind', 'from', 'to', 'bandwidth', 'smooth', 'step', 'view'], () => void load());
  heat.on(['kind', 'to', 'days'], () => void loadRises());
  heat.on(['frame'], () => void draw());

  return {
    async open() {
      if (opened) return;
      opened = true;
      count(1);
      try {
        const overview = await getJson<HeatOverview>(address('heat'));
        heat.set({ overview });
        await Promise.all([load(), loadRises()]);
      } catch (error) {
        opened = false;
        if (!(error instanceof ServiceError && error.status === 404)) onError(error);
      } finally {
        count(-1);
      }
    },
    play,
  };
}
