/** Zoom in, zoom out, whole district, and what a page adds. */
import type OlMap from 'ol/Map';
import { iconButton, renew } from '../core/dom';
import { onLang, t } from '../i18n';

export function createTools(
  host: HTMLElement,
  map: OlMap,
  home: () => void,
  more: () => readonly HTMLElement[] = () => [],
): void {
  const zoom = (step: number): void => {
    const view = map.getView();
    view.animate({ zoom: Math.round((view.getZoom() ?? 12) + step), duration: 180 });
  };
  const draw = (): void =>
    renew(
      host,
      iconButton('plus', t('map.zoomIn'), () => zoom(1)),
      iconButton('minus', t('map.zoomOut'), () => zoom(-1)),
      iconButton('home', t('map.home'), home),
      ...more(),
    );
  onLang(draw);
  draw();
}
