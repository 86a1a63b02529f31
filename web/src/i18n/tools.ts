/** Words of the tools of every map: measuring, layers, printing. */
const zh = {
  'tools.title': '工具',
};

const en: Record<keyof typeof zh, string> = {
  'tools.title': 'Tools',
};

export const toolsTexts = { zh, en } as const;
