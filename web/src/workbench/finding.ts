/** The search box of the workbench: grids of the plan, components, addresses, coordinates in any system. */
import { service } from '../core/client';
import { h } from '../core/dom';
import type { LonLat } from '../core/types';
import { t } from '../i18n';
import { createSearch, type Search } from '../ui/search';
import { report } from '../ui/toasts';
import { fromLonLat } from 'ol/proj';
import type { Bench } from './tools/types';

/** Put the box into the header. What is found is shown on the map, and its grid becomes the current one. */
export function addSearch(bench: Bench, tools: HTMLElement): Search {
  const { model, ui } = bench;
  const host = h('div', { class: 'search work-search', role: 'search' });
  tools.append(host);

  function showGrid(code: string): void {
    const grid = model.gridByCode(code);
    if (grid < 0) return;
    ui.set({ current: grid });
    bench.showGrid(grid);
  }

  function showPlace([lon, lat]: LonLat): void {
    const [x = 0, y = 0] = fromLonLat([lon, lat]);
    const unit = model.unitAt(x, y);
    if (unit < 0) {
      bench.hint(t('workbench.outside'));
      return;
    }
    const grid = model.ownerOf(unit, bench.level());
    if (grid >= 0) ui.set({ current: grid });
    bench.showUnits([unit]);
    bench.say(grid >= 0 ? bench.longName(grid) : t('workbench.noGrid'));
  }

  const places = new Map(model.topology.communities.map(({ code, name }) => [code, name]));
  return createSearch(
    host,
    {
      addresses: true,
      entries: () => [
        ...[...places].map(([code, name]) => ({ code, name, level: 'community' })),
        ...model.levels.flatMap(({ level }) =>
          [...model.gridsOf(level)].map((grid) => ({
            code: model.grids[grid]?.code ?? '',
            name: bench.longName(grid),
            level: 'grid',
          })),
        ),
      ],
    },
    {
      grid: showGrid,
      area(code) {
        const place = model.topology.communities.findIndex((one) => one.code === code);
        const units: number[] = [];
        model.topology.community.forEach((one, unit) => one === place && units.push(unit));
        if (units.length > 0) bench.showUnits(units);
      },
      // the service answers with the place in the storage system, whatever it was asked in
      place: (point, crs) =>
        void service.locate(point, crs).then(({ point: at }) => showPlace([at.lon, at.lat]), report),
      component: (code) =>
        void service
          .component(code)
          .then(({ geometry }) => showPlace(geometry.coordinates.slice(0, 2) as LonLat), report),
    },
  );
}
