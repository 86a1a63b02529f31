/** Words of the frame all pages share: header, ways between pages, who works here. */
const zh = {
  'frame.nav': '页面',
  'frame.map': '地图与分析',
  'frame.plans': '方案',
  'frame.dispatch': '派遣',
  'frame.history': '变更记录',
  'frame.page': '{title} · 网格治理',
  'frame.who': '署名',
  'frame.whoHint': '修改、意见和发布会记下这个名字；只写岗位或代号，不写个人信息。',
  'frame.anonymous': '未署名',
  'frame.save': '确定',
  'frame.cancel': '取消',
  'frame.wrongKey': '令牌或口令不对，请核对后再试。',
  'frame.close': '关闭',
};

const en: Record<keyof typeof zh, string> = {
  'frame.nav': 'Pages',
  'frame.map': 'Map and analysis',
  'frame.plans': 'Plans',
  'frame.dispatch': 'Dispatch',
  'frame.history': 'History',
  'frame.page': '{title} · gisgrid',
  'frame.who': 'Signed as',
  'frame.whoHint':
    'Edits, comments and publishing are noted under this name. Give a post or a code name, nothing personal.',
  'frame.anonymous': 'unsigned',
  'frame.save': 'OK',
  'frame.cancel': 'Cancel',
  'frame.wrongKey': 'That token is not known here; check it and try again.',
  'frame.close': 'Close',
};

export const frameTexts = { zh, en } as const;
