/** Keys of the whole page, and those of the map while it has the keyboard. */
import { LETTERS, nextBrush } from '../panels/toolbar';
import type { UnitCursor } from './unitCursor';
import { type Bench, type ToolName, TOOLS } from './types';

interface Options {
  bench: Bench;
  host: HTMLElement;
  cursor: UnitCursor;
  /** Cancel what is under way; true when there was something. */
  escape: () => boolean;
  /** Whether something else has the map's keys, such as measuring. */
  resting: () => boolean;
  help: () => void;
  home: () => void;
}

const BY_LETTER = new Map<string, ToolName>(TOOLS.map((name) => [LETTERS[name].toLowerCase(), name]));

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    target.matches('textarea, select, input:not([type=radio]):not([type=checkbox]):not([type=range])'));

export function addKeyboard({ bench, host, cursor, escape, resting, help, home }: Options): void {
  const { ui, model, map } = bench;

  function zoom(by: number): void {
    const view = map.getView();
    view.setZoom((view.getZoom() ?? 14) + by);
  }

  function lock(): void {
    const { current } = ui.get();
    const entry = model.grids[current];
    if (entry && bench.editable()) bench.did(model.setLocked(current, !entry.locked));
  }

  /** Keys that mean the same everywhere on the page. */
  function everywhere(event: KeyboardEvent): boolean {
    const letter = event.key.toLowerCase();
    const tool = BY_LETTER.get(letter);
    if (tool) bench.take(tool);
    else if (letter === 'k') lock();
    else if (letter === 'f') bench.showGrid(ui.get().current);
    else if (letter === 'g') host.focus();
    else if (event.key === '+' || event.key === '=') zoom(0.5);
    else if (event.key === '-') zoom(-0.5);
    else if (event.key === '0') home();
    else if (event.key === ',') ui.set({ brush: nextBrush(ui.get().brush, -1) });
    else if (event.key === '.') ui.set({ brush: nextBrush(ui.get().brush, 1) });
    else if (event.key === '?') help();
    else return false;
    return true;
  }

  document.addEventListener('keydown', (event) => {
    if (document.querySelector('dialog[open]') || typing(event.target)) return;
    if (event.ctrlKey || event.metaKey) {
      const key = event.key.toLowerCase();
      if (key === 'z' && !event.shiftKey) bench.undo();
      else if (key === 'y' || (key === 'z' && event.shiftKey)) bench.redo();
      else return;
      event.preventDefault();
      return;
    }
    if (event.altKey || resting()) return;
    if (event.key === 'Escape') {
      if (escape()) event.preventDefault();
      return;
    }
    const onMap = document.activeElement === host;
    if (
      (onMap && cursor.key(event)) ||
      everywhere(event) ||
      (!onMap && turning(event) && cursor.key(event))
    ) {
      event.preventDefault();
    } else if (onMap && event.key === ' ') event.preventDefault();
  });

  const turning = (event: KeyboardEvent): boolean => event.key === '[' || event.key === ']';
}
