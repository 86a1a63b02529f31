/** Words of plans: the list, making, comparing, publishing. */
const zh = {
  'plans.title': '网格方案',
  'plans.publishTitle': '发布“{name}”',
  'plans.shareTitle': '分享“{name}”',
};

const en: Record<keyof typeof zh, string> = {
  'plans.title': 'Grid plans',
  'plans.publishTitle': 'Publish “{name}”',
  'plans.shareTitle': 'Share “{name}”',
};

export const plansTexts = { zh, en } as const;
