/** Dragging the border two grids share: both move together, along the lines of units. */
import { t } from '../../i18n';
import { pathOfUnits, traceArc } from '../canvas/outlines';
import { detailAt, levelAt } from '../canvas/shape';
import type { BorderDrag, XY } from '../model';
import type { Bench, Pointer, Tool } from './types';

const GRAB_PX = 14;

interface Hold {
  a: number;
  b: number;
  at: XY;
}

export function boundaryTool(bench: Bench): Tool {
  const { model, scene, map } = bench;
  let hold: Hold | null = null;
  let shared: Path2D | null = null;
  let drag: BorderDrag | null = null;
  let changing: Path2D | null = null;
  let to = -1;
  let dragging = false;
  let waiting = 0;

  const resolution = (): number => map.getView().getResolution() ?? 1;

  /** The border near a place, when it parts two grids that may change. */
  function find(at: Pointer): Hold | null {
    const reach = (at.touch ? 2 : 1) * GRAB_PX * resolution();
    const found = model.borderAt(at.place[0], at.place[1], reach, bench.level());
    return found && found.b >= 0 && found.a >= 0 ? { a: found.a, b: found.b, at: found.at } : null;
  }

  function show(next: Hold | null): void {
    if (!next || !hold || next.a !== hold.a || next.b !== hold.b) {
      shared = null;
      if (next) {
        shared = new Path2D();
        const detail = detailAt(scene.shape, levelAt(resolution()));
        for (const arc of model.sharedArcs(next.a, next.b)) traceArc(shared, detail, arc);
      }
    }
    hold = next;
    map.getTargetElement()?.classList.toggle('can-drag', hold !== null);
    bench.canvas.redraw();
  }

  function clear(): void {
    cancelAnimationFrame(waiting);
    [dragging, drag, changing, waiting] = [false, null, null, 0];
    bench.ui.set({ trial: null });
    bench.canvas.redraw();
  }

  function attempt(place: XY): void {
    if (!hold) return;
    drag = model.tryDrag(hold.a, hold.b, hold.at, place);
    const units = new Set(drag.preview.units);
    changing = units.size > 0 ? pathOfUnits(scene.shape, units, levelAt(resolution())) : null;
    to = drag.moves.to[0] ?? -1;
    bench.ui.set({ trial: drag.preview });
    bench.canvas.redraw();
  }

  return {
    cursor: 'default',
    down(at) {
      const found = find(at);
      if (!found || !bench.editable()) {
        if (at.unit >= 0) {
          const grid = model.ownerOf(at.unit, bench.level());
          if (grid >= 0) bench.ui.set({ current: grid });
        }
        return false;
      }
      show(found);
      dragging = true;
      return true;
    },
    move(at) {
      if (!dragging) return;
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(() => attempt(at.place));
    },
    up(at) {
      if (!dragging || !hold) return;
      const { a, b, at: from } = hold;
      const had = drag !== null;
      clear();
      if (had) bench.did(model.dragBorder(a, b, from, at.place));
      hold = null;
      show(find(at));
    },
    hover(at) {
      show(at ? find(at) : null);
    },
    cancel() {
      const had = dragging;
      clear();
      return had;
    },
    space(unit) {
      const { current } = bench.ui.get();
      if (current < 0) bench.hint(t('workbench.chooseFirst'));
      else if (bench.editable()) bench.did(model.assign([unit], current, bench.level()));
    },
    overlay(context, pixel) {
      context.lineJoin = 'round';
      context.lineCap = 'round';
      if (changing) {
        context.globalAlpha = 0.85;
        context.fillStyle = to >= 0 ? scene.fill(to) : '#fff';
        context.fill(changing, 'evenodd');
        context.globalAlpha = 1;
        context.lineWidth = 2.6 * pixel;
        context.strokeStyle = '#b3181c';
        context.stroke(changing);
      }
      if (!shared || !hold) return;
      context.lineWidth = 8 * pixel;
      context.strokeStyle = 'rgba(255, 255, 255, 0.9)';
      context.stroke(shared);
      context.lineWidth = 4 * pixel;
      context.strokeStyle = '#1558a6';
      if (dragging) context.setLineDash([7 * pixel, 6 * pixel]);
      context.stroke(shared);
      context.setLineDash([]);
      const [ox, oy] = scene.shape.origin;
      const [x, y] = hold.at;
      context.beginPath();
      context.arc(x - ox, y - oy, 7 * pixel, 0, Math.PI * 2);
      context.fillStyle = '#fff';
      context.fill();
      context.lineWidth = 3 * pixel;
      context.stroke();
      if (drag && drag.drawn.length > 3) {
        context.beginPath();
        for (let at = 0; at + 1 < drag.drawn.length; at += 2) {
          context.lineTo(drag.drawn[at]! - ox, drag.drawn[at + 1]! - oy);
        }
        context.lineWidth = 1.6 * pixel;
        context.setLineDash([3 * pixel, 4 * pixel]);
        context.strokeStyle = '#1d2833';
        context.stroke();
      }
    },
  };
}
