/** Words of the analysis tabs beside the map. */
const zh = {
  'analysis.title': '分析',
};

const en: Record<keyof typeof zh, string> = {
  'analysis.title': 'Analysis',
};

export const analysisTexts = { zh, en } as const;
