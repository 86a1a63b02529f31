/**
 * Mouse, pen and fingers on the map. One finger or the left button works the tool; two fingers, the right or middle
 * button, or Space with the left button move the map.
 */
import type OlMap from 'ol/Map';
import type { Scene } from '../canvas/scene';
import type { Pointer, Tool } from './types';

interface Options {
  map: OlMap;
  host: HTMLElement;
  scene: Scene;
  tool: () => Tool;
  /** Whether something else has the map's clicks, such as measuring; it can still be moved. */
  resting: () => boolean;
  /** Every place of the pointer, whatever it does. */
  seen: (at: Pointer | null) => void;
}

const TWICE_MS = 350;
const NEAR_PX = 8;

export function addPointer({ map, host, scene, tool, resting, seen }: Options): void {
  const view = map.getView();
  const fingers = new Map<number, { px: number; py: number }>();
  let working: Tool | null = null;
  let panning: { px: number; py: number } | null = null;
  let space = false;
  let last = { time: 0, px: -99, py: -99 };

  function groundAt(px: number, py: number): [number, number] {
    const resolution = view.getResolution() ?? 1;
    const center = view.getCenter() ?? [0, 0];
    const { width, height } = host.getBoundingClientRect();
    return [center[0]! + (px - width / 2) * resolution, center[1]! - (py - height / 2) * resolution];
  }

  function pointerOf(event: PointerEvent): Pointer {
    const box = host.getBoundingClientRect();
    const px = event.clientX - box.left;
    const py = event.clientY - box.top;
    const place = groundAt(px, py);
    const x = place[0] - scene.shape.origin[0];
    const y = place[1] - scene.shape.origin[1];
    return {
      x,
      y,
      place,
      px,
      py,
      unit: scene.unitAt(x, y),
      shift: event.shiftKey,
      alt: event.altKey,
      touch: event.pointerType === 'touch',
    };
  }

  function startPan(at: { px: number; py: number }): void {
    panning = { px: at.px, py: at.py };
    view.beginInteraction();
    host.classList.add('is-panning');
  }

  function stopPan(): void {
    if (!panning) return;
    panning = null;
    view.endInteraction(0);
    host.classList.remove('is-panning');
  }

  function pan(at: { px: number; py: number }): void {
    if (!panning) return;
    const resolution = view.getResolution() ?? 1;
    view.adjustCenter([(panning.px - at.px) * resolution, (at.py - panning.py) * resolution]);
    panning = { px: at.px, py: at.py };
  }

  /** Two fingers: the middle moves the map, their distance the scale. */
  function pinch(event: PointerEvent, at: Pointer): void {
    const [a, b] = [...fingers.values()];
    if (!a || !b || !fingers.has(event.pointerId)) return;
    const before = {
      px: (a.px + b.px) / 2,
      py: (a.py + b.py) / 2,
      gap: Math.hypot(a.px - b.px, a.py - b.py),
    };
    fingers.set(event.pointerId, { px: at.px, py: at.py });
    const [c, d] = [...fingers.values()];
    const after = {
      px: (c!.px + d!.px) / 2,
      py: (c!.py + d!.py) / 2,
      gap: Math.hypot(c!.px - d!.px, c!.py - d!.py),
    };
    panning = before;
    pan(after);
    if (before.gap > 12 && after.gap > 12) {
      // by the view as it is now: the map's own pixels are those of the frame drawn last
      view.adjustResolution(before.gap / after.gap, groundAt(after.px, after.py));
    }
  }

  function giveUp(): void {
    working?.cancel?.();
    working = null;
  }

  host.addEventListener('pointerdown', (event) => {
    if (!(event.target instanceof Element) || event.target.closest('.over-map')) return;
    const at = pointerOf(event);
    host.focus({ preventScroll: true });
    if (resting() && event.button === 0 && !space && fingers.size === 0 && event.isPrimary) return;
    if (at.touch) {
      fingers.set(event.pointerId, { px: at.px, py: at.py });
      if (fingers.size === 2) {
        giveUp();
        startPan(at);
        return;
      }
      if (fingers.size > 2) return;
    }
    try {
      host.setPointerCapture(event.pointerId);
    } catch {
      // a pointer that is gone already
    }
    seen(at);
    if (event.button === 1 || event.button === 2 || space) {
      event.preventDefault();
      startPan(at);
      return;
    }
    if (event.button !== 0) return;
    const now = performance.now();
    const near = Math.hypot(at.px - last.px, at.py - last.py) < NEAR_PX;
    const mine = tool();
    if (near && now - last.time < TWICE_MS && mine.twice) {
      last.time = 0;
      mine.twice(at);
      return;
    }
    last = { time: now, px: at.px, py: at.py };
    if (mine.down?.(at)) working = mine;
    else startPan(at);
  });

  host.addEventListener('pointermove', (event) => {
    const at = pointerOf(event);
    if (fingers.size >= 2) {
      pinch(event, at);
      return;
    }
    if (panning) {
      pan(at);
      return;
    }
    if (working) {
      // a fast stroke has more places than events
      const between = event.getCoalescedEvents?.() ?? [];
      for (const one of between.length > 1 ? between : [event]) working.move?.(pointerOf(one));
      seen(at);
      return;
    }
    if (event.target instanceof Element && event.target.closest('.over-map')) {
      seen(null);
      tool().hover?.(null);
      return;
    }
    seen(at);
    tool().hover?.(at);
  });

  const release = (event: PointerEvent): void => {
    const was = fingers.size;
    fingers.delete(event.pointerId);
    if (was >= 2) {
      if (fingers.size < 2) stopPan();
      return;
    }
    if (panning) stopPan();
    else if (working) {
      const done = working;
      working = null;
      if (event.type === 'pointercancel') done.cancel?.();
      else done.up?.(pointerOf(event));
    }
  };
  host.addEventListener('pointerup', release);
  host.addEventListener('pointercancel', release);
  host.addEventListener('pointerleave', () => {
    if (working || panning) return;
    seen(null);
    tool().hover?.(null);
  });
  host.addEventListener('contextmenu', (event) => event.preventDefault());

  document.addEventListener('keydown', (event) => {
    // Space alone is the unit cursor's; with the pointer over the map it moves the map
    if (event.code === 'Space' && host.matches(':hover') && !host.classList.contains('has-cursor')) {
      space = true;
      host.classList.add('can-pan');
    }
  });
  document.addEventListener('keyup', (event) => {
    if (event.code !== 'Space') return;
    space = false;
    host.classList.remove('can-pan');
  });
}
