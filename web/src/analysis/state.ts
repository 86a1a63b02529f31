/** What the heat tab knows and was asked. */
import { createStore, type Store } from '../core/store';
import type {
  FramesAnswer,
  HeatOverview,
  PatternsAnswer,
  RisesAnswer,
  SpotsAnswer,
  SurfaceAnswer,
} from './types';

export type View = 'surface' | 'spots';
export type Step = 'month' | 'week';

/** A surface of one period, as a picture in place. */
export interface Picture {
  url: string;
  extent: number[];
}

export interface HeatState {
  overview: HeatOverview | null;
  /** Empty for all classes, else a code or a name. */
  kind: string;
  from: string;
  to: string;
  view: View;
  bandwidth: string;
  smooth: boolean;
  step: Step;
  /** Step shown, or null for the whole period. */
  frame: number | null;
  playing: boolean;
  days: number;
  surface: SurfaceAnswer | null;
  frames: FramesAnswer | null;
  picture: Picture | null;
  spots: SpotsAnswer | null;
  patterns: PatternsAnswer | null;
  rises: RisesAnswer | null;
  /** Why rises could not be told. */
  risesFault: string | null;
  loading: number;
}

export const createHeat = (): Store<HeatState> =>
  createStore<HeatState>({
    overview: null,
    kind: '',
    from: '',
    to: '',
    view: 'surface',
    bandwidth: '300',
    smooth: false,
    step: 'month',
    frame: null,
    playing: false,
    days: 14,
    surface: null,
    frames: null,
    picture: null,
    spots: null,
    patterns: null,
    rises: null,
    risesFault: null,
    loading: 0,
  });
