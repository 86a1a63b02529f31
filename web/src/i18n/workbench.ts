/** Words of the workbench a plan is edited in. */
const zh = {
  'workbench.title': '方案编辑',
};

const en: Record<keyof typeof zh, string> = {
  'workbench.title': 'Edit a plan',
};

export const workbenchTexts = { zh, en } as const;
