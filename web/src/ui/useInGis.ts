/** Where the data is for other programs: addresses to copy, the QGIS project, whole layers as files. */
import { address, getJson } from '../core/client';
import { h, icon } from '../core/dom';
import { lang, labelOf, t } from '../i18n';
import type { TextKey } from '../i18n/texts';
import { site } from '../map/extraLayers';
import { openDialog } from './dialog';
import { report, toast } from './toasts';

interface Downloadable {
  name: string;
  title_zh: string;
  title_en: string;
  group: string | null;
  base: string | null;
  downloads: Record<string, string>;
}

const FORMATS: Record<string, string> = {
  gpkg: 'GeoPackage',
  parquet: 'GeoParquet',
  fgb: 'FlatGeobuf',
  shp: 'Shapefile',
  geojson: 'GeoJSON',
  csv: 'CSV',
  kml: 'KML',
};

function services(): [TextKey, string][] {
  return [
    ['tools.gis.wms', `${site('wms')}?SERVICE=WMS&REQUEST=GetCapabilities`],
    ['tools.gis.features', site('ogc')],
    ['tools.gis.tiles', `${site('ogc/tiles/WebMercatorQuad')}/{z}/{y}/{x}`],
    ['tools.gis.style', site('ogc/styles/gisgrid')],
    ['tools.gis.openapi', site('openapi.json')],
  ];
}

function copy(text: string): void {
  void navigator.clipboard?.writeText(text).then(() => toast(t('tools.copied'), 'done'));
}

function row(key: TextKey, href: string): HTMLElement {
  const name = t(key);
  return h(
    'li',
    { class: 'gis-row' },
    h('span', { class: 'gis-name', text: name }),
    h('code', { class: 'gis-address', tabindex: '0', text: href }),
    h(
      'button',
      {
        type: 'button',
        class: 'button button-plain',
        'aria-label': t('tools.copyOf', { name }),
        on: { click: () => copy(href) },
      },
      icon('copy'),
      h('span', { text: t('tools.copy') }),
    ),
  );
}

function downloads(layers: readonly Downloadable[]): HTMLElement {
  const which = h(
    'select',
    { id: 'gis-layer', class: 'field' },
    ...layers.map(({ name, title_zh, title_en }) =>
      h('option', { value: name, text: labelOf(title_zh, title_en) }),
    ),
  );
  which.value = layers.some(({ name }) => name === 'grids') ? 'grids' : (layers[0]?.name ?? '');
  const form = h('select', { id: 'gis-format', class: 'field' });
  const link = h('a', { class: 'button', text: t('tools.download') });
  const follow = (): void => {
    // only what the link asks for counts: a proxy may have put the service below another path
    const href = layers.find(({ name }) => name === which.value)?.downloads[form.value] ?? '';
    const query = new URL(href, document.baseURI).search;
    link.setAttribute('href', address(`layers/${encodeURIComponent(which.value)}/download`).href + query);
    link.setAttribute('download', '');
  };
  const offer = (): void => {
    const forms = Object.keys(layers.find(({ name }) => name === which.value)?.downloads ?? {});
    const before = form.value;
    form.replaceChildren(...forms.map((one) => h('option', { value: one, text: FORMATS[one] ?? one })));
    if (forms.includes(before)) form.value = before;
    follow();
  };
  which.addEventListener('change', offer);
  form.addEventListener('change', follow);
  offer();
  return h(
    'div',
    { class: 'gis-downloads' },
    h('div', { class: 'print-field' }, h('label', { for: 'gis-layer', text: t('tools.layer') }), which),
    h('div', { class: 'print-field' }, h('label', { for: 'gis-format', text: t('tools.format') }), form),
    link,
  );
}

/** Open the dialog "Use in GIS". */
export function openUseInGis(): void {
  const dialog = openDialog(t('tools.gis'), 'dialog-wide dialog-gis');
  const project = `${address('layers/qgis').href}?lang=${lang()}`;
  const files = h('section', { class: 'gis-files' }, h('h3', { text: t('tools.downloads') }));
  dialog.body.append(
    h('p', { class: 'gis-hint', text: t('tools.gisHint') }),
    h(
      'p',
      { class: 'gis-project' },
      h('a', { class: 'button', href: project, download: 'gisgrid.qgs', text: t('tools.gis.qgis') }),
    ),
    h('ul', { class: 'gis-list' }, ...services().map(([key, href]) => row(key, href))),
    files,
  );
  getJson<{ layers: Downloadable[] }>(address('layers')).then(({ layers }) => {
    const whole = layers.filter((layer) => layer.base === null && Object.keys(layer.downloads).length > 0);
    files.append(downloads(whole));
  }, report);
}
