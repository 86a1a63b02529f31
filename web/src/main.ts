import './styles/index.css';
import { buffer, getHeight, getWidth } from 'ol/extent';
import type OlMap from 'ol/Map';
import { fromLonLat, toLonLat } from 'ol/proj';
import { type App, type Catalog, createState, readCatalog } from './core/app';
import { busy, service } from './core/client';
import { circling as startCircling } from './core/circling';
import { readPlace, writePlace } from './core/permalink';
import { reaching as startReaching } from './core/reaching';
import { asking } from './core/selecting';
import type { Bbox, LonLat } from './core/types';
import { exposeHandle } from './handle';
import { lang, onLang, startLang, t } from './i18n';
import { addAnalysis } from './analysis';
import { addBasemap, BUILDINGS_FROM } from './map/basemap';
import { addBlindSpots } from './map/blind';
import { addComponents } from './map/components';
import { communityAt } from './map/community';
import { createMap } from './map/create';
import { addFacilities } from './map/facilities';
import { addGrids } from './map/grids';
import { addIsochrones } from './map/isochrones';
import { addLabels } from './map/labels';
import { addPointing } from './map/pointing';
import { addReached } from './map/reached';
import { addRoutes } from './map/routes';
import { readExtent } from './map/viewport';
import { circlesTab } from './ui/circlesTab';
import { createDetails } from './ui/details';
import { layersTab } from './ui/layersTab';
import { createLegend } from './ui/legend';
import { nearestSection } from './ui/nearest';
import { addPopup } from './ui/popup';
import { createSearch, knownOf } from './ui/search';
import { createShell, showFailure, showOpening } from './ui/shell';
import { createSide } from './ui/side';
import { createStatusBar } from './ui/statusbar';
import { explain, report, startToasts, toast } from './ui/toasts';
import { addMapTools, type MapTools } from './ui/mapTools';
import { createTools } from './ui/tools';
import { readMe } from './ui/who';

const CLOSE_LOOK = 15.5;
/** Shown while the service holds no area at all. */
const NOWHERE: Bbox = [104, 30, 122, 40];

function boundsOf({ overview }: Catalog): Bbox {
  return overview.bounds ?? NOWHERE;
}

/** Tools of every map; the sheet printed is that of the community in the middle of the map. */
function mapTools(app: App, map: OlMap, target: HTMLElement): MapTools {
  const { areas } = app.catalog;
  const communities = areas.features.filter(({ properties }) => properties.level === 'community');
  return addMapTools(map, target, target.parentElement ?? target, (center) => {
    const nearest = communityAt(areas.features, center);
    const first = nearest ?? communities[0]?.properties.code;
    return first ? { community: first, communities: communities.map(({ properties }) => properties) } : null;
  });
}

function start(root: HTMLElement, app: App): void {
  const { store, catalog } = app;
  const shell = createShell(root, app);
  const ask = asking(app, report);
  const circling = startCircling(app, report);
  const reaching = startReaching(app, report);

  const padding = (): [number, number, number, number] => {
    const wide = window.innerWidth > 760;
    const left = wide && store.get().panelOpen ? shell.side.offsetWidth + 28 : 28;
    const roomy = window.innerWidth > 1180;
    const card = store.get().selection ? shell.details : roomy ? shell.corner : shell.tools;
    // The buttons stand left of the details.
    const right = wide ? card.offsetWidth + (store.get().selection ? 76 : 28) : 56;
    const sheet = !wide && store.get().selection ? shell.details.offsetHeight + 28 : 40;
    return [28, right, sheet, left];
  };
  const parts = createMap(shell.map, boundsOf(catalog), padding);
  const { map } = parts;

  const basemap = addBasemap(map, app, report);
  const grids = addGrids(map, app);
  const isochrones = addIsochrones(map, app, report);
  const labels = addLabels(map, app);
  const facilities = addFacilities(map, app, report);
  const components = addComponents(map, app, report);
  const blind = addBlindSpots(map, app);
  const reached = addReached(map, app, basemap, report);
  const routes = addRoutes(map, app);
  addPopup(map, app, reaching);

  const close = (): void => {
    ask.clear();
    shell.map.focus({ preventScroll: true });
  };
  const pointOf = (code: string): LonLat | null => {
    const feature = grids.feature(code);
    const label = feature?.get('label_point') as LonLat | undefined;
    if (label) return label;
    const center = feature?.getGeometry()?.getExtent();
    return center
      ? (toLonLat([(center[0]! + center[2]!) / 2, (center[1]! + center[3]!) / 2]) as LonLat)
      : null;
  };
  const zoomTo = (code: string): void => {
    const extent = grids.feature(code)?.getGeometry()?.getExtent();
    if (extent) parts.show(extent);
  };
  const goTo = (code: string): void => {
    const point = pointOf(code);
    if (!point) return;
    store.set({ opened: null });
    void ask.place(point);
    zoomTo(code);
  };
  const goToPlace = async (point: LonLat, crs: string): Promise<void> => {
    store.set({ opened: null });
    await ask.place(point, crs);
    const { selection } = store.get();
    if (selection?.answer) parts.reach(selection.point, CLOSE_LOOK);
  };

  /** On a phone the panel covers the map: it makes way for what is to be seen. */
  const uncover = (): void => {
    if (window.innerWidth <= 760) store.set({ panelOpen: false });
  };
  const zoomToBlind = (rank: number): void => {
    const extent = blind.extent(rank);
    uncover();
    if (extent) parts.show(extent, 17.5);
  };
  const zoomToWay = (category: string): void => {
    const extent = routes.extent(category);
    // The name at its end needs room as well.
    if (extent) parts.show(buffer(extent, 0.12 * Math.max(getWidth(extent), getHeight(extent))), 17.5);
  };
  const tools = mapTools(app, map, shell.map);
  const analysis = addAnalysis(shell, map, app, grids.source, padding);
  createSide(shell.side, app, [
    layersTab(app, { ...tools, slider: (key) => tools.opacity(key, t(`layer.${key}`)) }),
    circlesTab(app, circling, zoomToBlind),
    ...analysis.tabs,
  ]);
  createLegend(shell.corner, app);
  createDetails(shell.details, app, nearestSection(app, reaching, zoomToWay), {
    close,
    zoomTo,
    goTo,
    category: (category) => {
      store.set({ panel: 'circles' });
      circling.category(category);
    },
  });
  createTools(shell.tools, map, () => parts.home(), tools.buttons);
  const status = createStatusBar(shell.status, shell.progress, app);
  /** Id of the building drawn at a place. */
  const buildingAt = (point: LonLat): number | null => {
    if (!store.get().near || !store.get().layers.buildings) return null;
    const [building] = basemap.buildings.source.getFeaturesAtCoordinate(fromLonLat(point));
    const id = Number(building?.getId());
    return Number.isInteger(id) ? id : null;
  };
  addPointing(map, shell.map, app, grids, {
    select(point) {
      if (catalog.overview.generation) void ask.place(point, 'wgs84', buildingAt(point));
      else toast(t('status.unpublished'), 'done');
    },
    moved: status.pointer,
  });
  const search = createSearch(shell.search, knownOf(app), {
    grid: goTo,
    area(code) {
      const area = catalog.areas.features.find(({ properties }) => properties.code === code);
      const extent = area && readExtent(area.geometry);
      if (extent) parts.show(extent, 16);
    },
    place: (point, crs) => void goToPlace(point, crs),
    component(code) {
      service.component(code).then((feature) => {
        const at = feature.geometry.coordinates.slice(0, 2) as LonLat;
        store.set({
          layers: { ...store.get().layers, components: true },
          opened: { kind: 'component', at, properties: feature.properties },
        });
        void ask.place(at);
        parts.reach(at, 18);
      }, report);
    },
  });

  let had = false;
  store.on(['selection'], ({ selection }) => {
    parts.mark(selection?.point ?? null);
    if (selection && !had) uncover();
    root.classList.toggle('has-details', selection !== null);
    // The card that opens must not hide the very place it tells of.
    if (selection && !had && selection.crs === 'wgs84') parts.reach(selection.point);
    had = selection !== null;
    const generation = selection?.answer?.generation;
    if (generation && generation !== catalog.overview.generation?.id) {
      toast(t('status.newer', { id: generation }), 'done');
    }
  });
  document.addEventListener('keydown', (event) => {
    const typing =
      event.target instanceof HTMLElement && event.target.matches('input[type=text], select, textarea');
    if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
    } else if (event.key === 'Escape' && !typing) {
      if (store.get().opened) store.set({ opened: null });
      else if (store.get().selection) close();
    }
  });
  onLang(() => store.set({ lang: lang() }));

  const place = readPlace(window.location.hash);
  if (place) {
    map.getView().setCenter(fromLonLat([place.lon, place.lat]));
    map.getView().setZoom(place.zoom);
    if (place.profile !== 'adult') store.set({ profile: place.profile });
    if (place.category) store.set({ panel: 'circles' });
    if (place.category) circling.category(place.category);
    if (place.at) void ask.place(place.at, 'wgs84', place.building);
  } else {
    parts.home(false);
  }
  const remember = (): void => {
    const view = map.getView();
    const center = view.getCenter();
    if (!center) return;
    const [lon, lat] = toLonLat(center) as LonLat;
    const { category, profile, selection } = store.get();
    const known = selection?.answer ? selection : null;
    const at = known?.point ?? null;
    const building = known?.building ?? null;
    const zoom = view.getZoom() ?? 0;
    window.history.replaceState(null, '', writePlace({ zoom, lat, lon, category, profile, at, building }));
  };
  const settle = (): void => {
    remember();
    store.set({ near: (map.getView().getZoom() ?? 0) >= BUILDINGS_FROM });
  };
  map.on('moveend', settle);
  store.on(['category', 'profile', 'selection'], remember);

  exposeHandle(map, store, busy, {
    grids: grids.source,
    labels,
    components: components.points.source,
    clusters: components.clusters.source,
    facilities,
    isochrones: isochrones.stored,
    ranges: isochrones.drawn,
    blindSpots: blind.source,
    reached: reached.source,
    routes: routes.source,
    streets: basemap.streets.source,
    water: basemap.water.source,
    buildings: basemap.buildings.source,
    ...analysis.sources,
  });
}

async function open(): Promise<void> {
  startLang();
  const root = document.getElementById('app');
  if (!root) return;
  showOpening(root);
  startToasts(document.body);
  try {
    const [catalog] = await Promise.all([readCatalog(report), readMe()]);
    start(root, { store: createState(lang()), catalog });
  } catch (error) {
    showFailure(root, explain(error));
    throw error;
  }
}

void open();
