/** Words of the dispatch page. */
const zh = {
  'dispatch.title': '派遣',
};

const en: Record<keyof typeof zh, string> = {
  'dispatch.title': 'Dispatch',
};

export const dispatchTexts = { zh, en } as const;
