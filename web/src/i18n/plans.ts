/** Words of plans: the list, making, comparing, publishing. */
const zh = {
  'plans.title': '网格方案',
};

const en: Record<keyof typeof zh, string> = {
  'plans.title': 'Grid plans',
};

export const plansTexts = { zh, en } as const;
