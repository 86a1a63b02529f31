/** Words of the page of one grid or community. */
const zh = {
  'place.title': '网格名片',
};

const en: Record<keyof typeof zh, string> = {
  'place.title': 'Grid page',
};

export const placeTexts = { zh, en } as const;
