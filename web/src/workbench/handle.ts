/** `window.gisgrid` on this page: what tests, benchmarks and the curious may look at. Nothing depends on it. */
import { fromLonLat } from 'ol/proj';
import type { LonLat } from '../core/types';
import type { Bench } from './tools/types';

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

export function exposeWorkbench(bench: Bench, busy: () => number): void {
  const { map, model, sync, ui } = bench;

  const inPage = (coordinate: number[]): [number, number] | null => {
    const pixel = map.getPixelFromCoordinate(coordinate);
    if (!pixel) return null;
    const box = map.getTargetElement()?.getBoundingClientRect() ?? { left: 0, top: 0 };
    return [(pixel[0] ?? 0) + box.left, (pixel[1] ?? 0) + box.top];
  };

  async function idle(): Promise<void> {
    for (let quiet = 0; quiet < 2;) {
      await pause(130);
      quiet = busy() === 0 && !map.getView().getAnimating() ? quiet + 1 : 0;
    }
    await new Promise<void>((done) => {
      map.once('rendercomplete', () => done());
      map.render();
    });
  }

  const first = new Promise<void>((done) => {
    map.once('rendercomplete', () => done());
    map.render();
  });
  // the plan can be seen and used: what is fetched besides (streets, buildings) comes when it comes
  void first.then(() => {
    performance.mark('workbench-useful');
    document.body.setAttribute('data-ready', 'map');
  });
  const handle = {
    map,
    model,
    sync,
    state: ui.get,
    ready: first,
    idle,
    layers: () => ['plan'],
    featureCount: () => model.gridsOf(bench.level()).length,
    pixelOf: (point: LonLat) => inPage(fromLonLat(point)),
    /** Pixel of a unit's inner point. */
    pixelOfUnit: (unit: number) =>
      inPage([model.topology.point[2 * unit] ?? 0, model.topology.point[2 * unit + 1] ?? 0]),
    /** Make a grid the current one. */
    choose: (grid: number) => ui.set({ current: grid }),
    /** Milliseconds the canvas took for what it last painted. */
    painted: bench.canvas.spent,
  };
  Object.assign(window, { gisgrid: handle });
}
