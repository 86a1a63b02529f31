/** From what was asked to the place in the card: locate, what lies around it, what can be chosen. */

import type VectorSource from 'ol/source/Vector';
import type { App } from '../core/app';
import { isAbort, ServiceError } from '../core/client';
import { lang, onLang } from '../i18n';
import { explain } from '../ui/toasts';
import type { Asked } from './asked';
import { AROUND_METRES, choicesOf } from './choices';
import { nearby } from './nearby';
import * as service from './service';
import type { DispatchStore, Place } from './state';
import type { Located, Report } from './types';
import { communityOf, shortName } from './words';

const NEAR_MOST = 6;

export interface Locating {
  /** Locate what was asked. Resolves when the answer is there. */
  ask(asked: Asked, accuracy?: number | null, report?: number | null): Promise<void>;
  /** Locate the place of a report. */
  report(report: Report): Promise<void>;
  clear(): void;
}

export function locating(app: App, store: DispatchStore, grids: VectorSource): Locating {
  let running: AbortController | null = null;

  function choicesNow(answer: Located): ReturnType<typeof choicesOf> {
    const around = Math.max(AROUND_METRES, answer.accuracy ?? 0);
    const near = nearby(grids, [answer.point.lon, answer.point.lat], around, NEAR_MOST);
    return choicesOf(
      answer,
      near,
      (code, name) => shortName(app, code, name),
      (code) => communityOf(app, code),
    );
  }

  async function ask(
    asked: Asked,
    accuracy: number | null = null,
    report: number | null = null,
  ): Promise<void> {
    running?.abort();
    if (asked.kind === 'empty') return;
    const mine = new AbortController();
    running = mine;
    const place: Place = { asked, report, answer: null, fault: '' };
    store.set({ place, choices: [] });
    try {
      const sure = accuracy ?? (asked.kind === 'point' ? asked.accuracy : null);
      const answer = await service.locate(asked, sure, mine.signal);
      if (mine.signal.aborted) return;
      store.set({ place: { ...place, answer }, choices: choicesNow(answer) });
    } catch (error) {
      if (isAbort(error)) return;
      const fault = error instanceof ServiceError && error.status === 400 ? error.message : explain(error);
      store.set({ place: { ...place, fault } });
    }
  }

  // names of grids are the language's
  onLang(() => {
    const { place } = store.get();
    if (place?.answer && lang()) store.set({ choices: choicesNow(place.answer) });
  });

  return {
    ask,
    report: (report) => {
      const [lon, lat] = report.geometry.coordinates as [number, number];
      return ask(
        { kind: 'point', lon, lat, crs: 'cgcs2000', accuracy: null },
        report.properties.accuracy || null,
        report.id,
      );
    },
    clear() {
      running?.abort();
      store.set({ place: null, choices: [], target: null });
    },
  };
}
