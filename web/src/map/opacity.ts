/** How much of a layer is seen through: by the key its parts carry (`properties: { key }`). */
import type OlMap from 'ol/Map';

/** Opacity 0 … 1 of all parts of a layer; also of parts added later under the same key. */
export function opacities(map: OlMap): {
  get: (key: string) => number;
  set: (key: string, value: number) => void;
} {
  const chosen = new Map<string, number>();
  const apply = (): void => {
    for (const layer of map.getAllLayers()) {
      const value = chosen.get(String(layer.get('key') ?? ''));
      if (value !== undefined && layer.getOpacity() !== value) layer.setOpacity(value);
    }
  };
  map.getLayers().on('add', apply);
  return {
    get: (key) => chosen.get(key) ?? 1,
    set(key, value) {
      chosen.set(key, value);
      apply();
    },
  };
}
