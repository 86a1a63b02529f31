/** The nearest facilities of the place selected, and areas drawn on the spot: the newest question wins. */
import { type App, circlesOn, type State } from './app';
import { type From, isAbort, type Mover, service } from './client';

export interface Reaching {
  /** Ask for the nearest facilities of the place selected, even where the page shows no circles. */
  nearest(): void;
  /** Draw 5, 10 and 15 minutes from the place selected, or to a facility; take them off when they are shown. */
  ranges(facility?: number | null): Promise<void>;
}

/** Who moves in a question asked just now. */
export function moverOf({ profile, speed }: Pick<State, 'profile' | 'speed'>): Mover {
  if (speed === null) return { profile };
  return profile === 'car' ? { profile, factor: speed } : { profile, speed };
}

export function reaching(app: App, onError: (error: unknown) => void): Reaching {
  const { store } = app;
  let asked = '';
  let asking: AbortController | null = null;
  let drawing: AbortController | null = null;

  function from(): From | null {
    const { selection } = store.get();
    if (!selection?.answer) return null;
    const { building, point } = selection;
    return building === null ? { lon: point[0], lat: point[1] } : { building };
  }

  /** Where areas are drawn from: a building counts as its own middle. */
  function middle(): From | null {
    const { selection, reach } = store.get();
    const place = reach?.answer?.place;
    if (place) return { lon: place.lon, lat: place.lat };
    return selection?.answer ? { lon: selection.point[0], lat: selection.point[1] } : null;
  }

  async function read(place: From): Promise<void> {
    const key = JSON.stringify([place, moverOf(store.get())]);
    if (key === asked) return;
    asked = key;
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    const building = 'building' in place ? place.building : null;
    store.set({ reach: { building, answer: null }, wayUnder: null });
    try {
      const answer = await service.nearest(place, moverOf(store.get()), signal);
      if (!signal.aborted) store.set({ reach: { building, answer } });
    } catch (error) {
      if (isAbort(error)) return;
      forget();
      onError(error);
    }
  }

  function forget(): void {
    asking?.abort();
    asked = '';
    store.set({ reach: null, way: null, wayUnder: null });
  }

  function follow(): void {
    const place = from();
    if (!store.get().selection) forget();
    else if (place && ('building' in place || circlesOn(store.get()) || store.get().reach)) void read(place);
  }
  store.on(['selection', 'profile', 'speed', 'panel', 'category'], follow);
  store.on(['category'], ({ category }) => store.set({ way: category }));

  async function draw(place: From, facility: number | null): Promise<void> {
    drawing?.abort();
    drawing = new AbortController();
    const { signal } = drawing;
    try {
      const answer = await service.ranges(place, moverOf(store.get()), signal);
      if (!signal.aborted) store.set({ ranges: { facility, answer } });
    } catch (error) {
      if (isAbort(error)) return;
      store.set({ ranges: null });
      onError(error);
    }
  }
  // Areas drawn stay true to who moves; those of a place go with it.
  store.on(['profile', 'speed'], ({ ranges }) => {
    const place = ranges?.facility != null ? { facility: ranges.facility } : middle();
    if (ranges && place) void draw(place, ranges.facility);
  });
  let last = store.get().selection?.point.join();
  store.on(['selection'], ({ selection, ranges, opened }) => {
    const point = selection?.point.join();
    const kept = ranges?.facility != null && opened?.kind === 'facility' && opened.id === ranges.facility;
    if (point !== last && ranges && !kept) {
      drawing?.abort();
      store.set({ ranges: null });
    }
    last = point;
  });

  store.on(['opened'], ({ opened, ranges }) => {
    const kept = opened?.kind === 'facility' && opened.id === ranges?.facility;
    if (ranges && ranges.facility !== null && !kept) store.set({ ranges: null });
  });

  return {
    nearest() {
      const place = from();
      if (place) void read(place);
    },
    async ranges(facility = null) {
      const { ranges } = store.get();
      if (ranges && ranges.facility === facility) {
        store.set({ ranges: null });
        return;
      }
      const place = facility === null ? middle() : { facility };
      if (place) await draw(place, facility);
    },
  };
}
