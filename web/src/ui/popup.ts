/** The popup of one component or facility. */
import type OlMap from 'ol/Map';
import Overlay from 'ol/Overlay';
import { fromLonLat } from 'ol/proj';
import type { App, Opened } from '../core/app';
import { h, iconButton, renew } from '../core/dom';
import { date } from '../core/format';
import { majorColor, majorName } from '../core/names';
import type { Reaching } from '../core/reaching';
import { labelOf, nameOf, onLang, t } from '../i18n';

type Row = [label: string, value: string | null | undefined];

/** Add the popup; it follows what the state holds open. */
export function addPopup(map: OlMap, app: App, reaching: Reaching): void {
  const { store, catalog } = app;
  const element = h('div', { class: 'popup card', role: 'dialog' });
  const overlay = new Overlay({ element, positioning: 'bottom-center', offset: [0, -40], stopEvent: true });
  map.addOverlay(overlay);

  function rowsOf(opened: Opened): { title: string; mark: string | null; rows: Row[] } {
    if (opened.kind === 'facility') {
      const { properties } = opened;
      const category = catalog.categories.find((entry) => entry.category === properties.category);
      const kind = labelOf(category?.name_zh, category?.name_en) || properties.category;
      return {
        title: nameOf({ name: properties.name, name_en: properties.name_en }) || kind,
        mark: null,
        rows: [
          [t('facility.category'), kind],
          [t('facility.address'), properties.address],
        ],
      };
    }
    const { properties } = opened;
    const changed = properties.changed_date ?? properties.first_date;
    return {
      title: properties.name,
      mark: majorColor(catalog, properties.major),
      rows: [
        [t('component.code'), properties.component_code],
        [t('component.class'), majorName(catalog, properties.major)],
        [t('component.state'), properties.state],
        [t('component.supervise'), properties.dept_supervise],
        [t('component.owner'), properties.dept_owner],
        [t('component.maintain'), properties.dept_maintain],
        [t('component.changed'), changed ? date(changed) : null],
      ],
    };
  }

  /** Who gets to this facility in 5, 10 and 15 minutes. */
  function ranges(facility: number): HTMLElement {
    return h('button', {
      type: 'button',
      id: 'facility-ranges',
      class: 'button button-quiet',
      'aria-pressed': String(store.get().ranges?.facility === facility),
      text: t('facility.ranges'),
      on: { click: () => void reaching.ranges(facility) },
    });
  }

  function draw(): void {
    const { opened } = store.get();
    if (!opened) {
      overlay.setPosition(undefined);
      renew(element);
      return;
    }
    const { title, mark, rows } = rowsOf(opened);
    const dot = mark ? h('span', { class: 'swatch swatch-dot' }) : null;
    if (dot && mark) dot.style.backgroundColor = mark;
    element.setAttribute('aria-label', title);
    renew(
      element,
      h(
        'div',
        { class: 'popup-head' },
        dot,
        h('strong', { text: title }),
        iconButton('close', t('popup.close'), () => store.set({ opened: null })),
      ),
      h(
        'dl',
        { class: 'popup-rows' },
        ...rows
          .filter(([, value]) => value)
          .flatMap(([label, value]) => [h('dt', { text: label }), h('dd', { text: String(value) })]),
      ),
    );
    if (opened.kind === 'facility' && opened.id !== null) element.append(ranges(opened.id));
    overlay.setPosition(fromLonLat(opened.at));
  }
  store.on(['opened'], draw);
  store.on(['ranges'], ({ ranges: shown, opened }) => {
    const pressed = opened?.kind === 'facility' && shown !== null && shown.facility === opened.id;
    element.querySelector('#facility-ranges')?.setAttribute('aria-pressed', String(pressed));
  });
  onLang(draw);
}
