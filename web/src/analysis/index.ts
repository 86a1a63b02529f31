/** The analyst's tabs: heat of reports, new sites, tables; what they draw on the map. */
import type OlMap from 'ol/Map';
import { transformExtent } from 'ol/proj';
import type VectorSource from 'ol/source/Vector';
import type { App } from '../core/app';
import { address, getJson, ServiceError } from '../core/client';
import type { Bbox } from '../core/types';
import type { Shell } from '../ui/shell';
import type { Tab } from '../ui/side';
import { report } from '../ui/toasts';
import { addDock } from './dock';
import { startHeating } from './heating';
import { addHeatLayers } from './heatLayers';
import { heatTab } from './heatTab';
import { siting } from './sitingTab';
import { createHeat } from './state';
import { startTabling } from './tabling';
import { addTableLayers } from './tableLayers';
import { tableTab } from './tableTab';
import type { GenerationRow } from './types';

const GRID_ZOOM = 16;

export interface Analysis {
  tabs: Tab[];
  sources: Record<string, VectorSource>;
}

export function addAnalysis(
  shell: Shell,
  map: OlMap,
  app: App,
  grids: VectorSource,
  padding: () => [number, number, number, number],
): Analysis {
  const { store } = app;
  const main = shell.map.parentElement ?? document.body;
  const show = (extent: number[], zoom = GRID_ZOOM): void => {
    const [top, right, bottom, left] = padding();
    const dock = main.querySelector<HTMLElement>('.dock:not([hidden])');
    map.getView().fit(extent, {
      padding: [top + 20, right + 20, bottom + 20 + (dock?.offsetHeight ?? 0), left + 20],
      maxZoom: zoom,
      duration: 350,
    });
  };
  const goToGrid = (code: string): void => {
    const feature = grids.getFeatures().find((one) => one.get('code') === code);
    const extent = feature?.getGeometry()?.getExtent();
    if (extent) show(extent);
  };
  const inSight = (): Bbox =>
    transformExtent(map.getView().calculateExtent(map.getSize()), 'EPSG:3857', 'EPSG:4326') as Bbox;

  const heat = createHeat();
  const heating = startHeating(heat, report);
  const heatLayers = addHeatLayers(map, app, heat, grids);
  const tabling = startTabling(inSight, report);
  const tableLayers = addTableLayers(map, app, tabling, show, report);
  addDock(main, app, tabling);
  const sites = siting(map, app, show);

  async function readGenerations(): Promise<void> {
    try {
      const { generations } = await getJson<{ generations: GenerationRow[] }>(address('generations'));
      tabling.state.set({ generations: [...generations].sort((a, b) => a.id - b.id) });
    } catch (error) {
      if (!(error instanceof ServiceError && error.status === 404)) report(error);
    }
  }

  const follow = (): void => {
    const { panel } = store.get();
    const on = panel === 'heat' && app.catalog.overview.generation !== null;
    heatLayers.show(on);
    if (on) void heating.open();
    else heating.play(false);
    if (panel !== 'table') return;
    if (tabling.state.get().generations.length === 0) void readGenerations();
    void tabling.open();
  };
  store.on(['panel'], follow);
  map.on('moveend', () => {
    if (store.get().panel === 'table' && tabling.state.get().inView) tabling.reload();
  });

  return {
    tabs: [heatTab(app, heat, heating, goToGrid), sites.tab, tableTab(app, tabling, tableLayers)],
    sources: { sites: sites.source, tableRows: tableLayers.rows, pastGrids: tableLayers.past },
  };
}
