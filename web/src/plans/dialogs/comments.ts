/** Comments on a plan: the list, and the box to write one. */
import type { LonLat } from '../../core/types';

export interface CommentsHooks {
  /** Show the place a comment is about. */
  onPlace: (place: LonLat) => void;
  /** Show the grid a comment is about. */
  onGrid: (code: string) => void;
  /** Called with the number of open comments whenever it changes. */
  onCount?: (open: number) => void;
}

export interface CommentsPanel {
  /** Read the comments again. */
  refresh: () => Promise<void>;
  /** The next comment is about this grid or place (null: the whole plan); the box gets the focus. */
  about: (target: { grid: string } | { place: LonLat } | null) => void;
  /** Take the panel out of its host. */
  remove: () => void;
}

/** Put the comments of a plan into `host`. */
export function commentsPanel(host: HTMLElement, _planId: number, _hooks: CommentsHooks): CommentsPanel {
  return { refresh: () => Promise.resolve(), about: () => undefined, remove: () => host.replaceChildren() };
}
