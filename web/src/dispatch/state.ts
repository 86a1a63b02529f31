/** What the dispatch page knows, and what it works on. */

import { createStore, type Store } from '../core/store';
import type { Asked } from './asked';
import type { Choice } from './choices';
import type { Located, Opened, Queued, Stage } from './types';

export interface Filters {
  stage: Stage | '';
  major: string;
  area: string;
  unassigned: boolean;
  near: boolean;
  text: string;
}

export const NO_FILTERS: Filters = {
  stage: '',
  major: '',
  area: '',
  unassigned: false,
  near: false,
  text: '',
};

/** The place in the card on the left: what was asked and what is known of it. */
export interface Place {
  asked: Asked;
  /** Number of the report the place is of, or null for one that was typed or clicked. */
  report: number | null;
  answer: Located | null;
  fault: string;
}

export interface DispatchState {
  place: Place | null;
  choices: readonly Choice[];
  /** Code of the grid chosen for the report. */
  target: string | null;
  filters: Filters;
  rows: readonly Queued[];
  matched: number;
  stages: Readonly<Record<Stage, number>> | null;
  /** Key of the next page; null when all are here. */
  after: string | null;
  loading: boolean;
  /** Reports that came in while the page was open. */
  fresh: ReadonlySet<number>;
  /** Row the keyboard is on. */
  active: number;
  /** Number of the report that is open, and the report once it has come. */
  open: number | null;
  opened: Opened | null;
  /** The form that gives the report to another grid is open. */
  moving: boolean;
}

export type DispatchStore = Store<DispatchState>;

export const createDispatchState = (): DispatchStore =>
  createStore<DispatchState>({
    place: null,
    choices: [],
    target: null,
    filters: NO_FILTERS,
    rows: [],
    matched: 0,
    stages: null,
    after: null,
    loading: true,
    fresh: new Set(),
    active: 0,
    open: null,
    opened: null,
    moving: false,
  });
