/** The tools every map offers: measuring, printing, other layers, addresses for GIS. */
import type OlMap from 'ol/Map';
import { toLonLat } from 'ol/proj';
import { h, iconButton } from '../core/dom';
import { t } from '../i18n';
import { extraLayers } from '../map/extraLayers';
import { addMeasure, type Measure } from '../map/measure';
import { opacities } from '../map/opacity';
import { openPrint, type PrintOptions } from '../map/print';
import { extraSection, opacitySlider } from './layerPanel';
import { createMeasureBox } from './measureBox';
import { openUseInGis } from './useInGis';
import type { LonLat } from '../core/types';

export interface MapTools {
  measure: Measure;
  /** Buttons for the column of tools; called again after a change of language. */
  buttons: () => HTMLElement[];
  /** Above the switches of the layer panel: a button that shows the sliders. */
  head: () => HTMLElement[];
  /** What stands below the switches of the layer panel. */
  below: () => HTMLElement[];
  /** The slider of a layer whose parts carry its key. */
  opacity: (key: string, name: string) => HTMLElement;
}

/**
 * Give a map the tools. `target` has the map's keyboard focus, `host` takes the measuring card, `printable` says what
 * the print button starts with, given the middle of the map.
 */
export function addMapTools(
  map: OlMap,
  target: HTMLElement,
  host: HTMLElement,
  printable: (center: LonLat) => PrintOptions | null,
): MapTools {
  const measure = addMeasure(map, target);
  const focus = (): void => target.focus({ preventScroll: true });
  createMeasureBox(host, measure, focus);
  const seen = opacities(map);
  let sliders = false;
  let section: ReturnType<typeof extraSection> | null = null;
  const extra = extraLayers(map, () => section?.refresh());

  function print(): void {
    const center = map.getView().getCenter();
    const options = printable((center ? toLonLat(center) : [0, 0]) as LonLat);
    if (options) openPrint(options);
  }
  function toggle(): void {
    if (measure.state.get().kind !== null) measure.stop();
    else measure.start('length');
    focus();
  }
  let ruler: HTMLButtonElement | null = null;
  measure.state.on(['kind'], () =>
    ruler?.setAttribute('aria-pressed', String(measure.state.get().kind !== null)),
  );
  return {
    measure,
    buttons() {
      ruler = iconButton('ruler', t('tools.measure'), toggle);
      ruler.setAttribute('aria-pressed', String(measure.state.get().kind !== null));
      return [
        ruler,
        iconButton('print', t('tools.print'), print),
        iconButton('link', t('tools.gis'), openUseInGis),
      ];
    },
    head() {
      const button = h('button', {
        type: 'button',
        class: 'text-button opacities',
        'aria-pressed': String(sliders),
        text: t('tools.opacities'),
      });
      button.addEventListener('click', () => {
        sliders = !sliders;
        button.setAttribute('aria-pressed', String(sliders));
      });
      return [button];
    },
    below() {
      section = extraSection(extra);
      const gis = h('button', {
        type: 'button',
        class: 'button button-plain extra-gis',
        text: t('tools.gis'),
        on: { click: openUseInGis },
      });
      return [section.element, gis];
    },
    opacity: (key, name) =>
      opacitySlider(`opacity-${key}`, name, seen.get(key), (value) => seen.set(key, value)),
  };
}
