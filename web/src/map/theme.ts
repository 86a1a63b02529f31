/** The map's colours and type. Numbers in pixels. */
export const FONT =
  '"Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", "Helvetica Neue", Arial, sans-serif';

export const INK = '#1d2833';
export const ACCENT = '#1558a6';

export const LAND = '#faf8f4';
export const OUTSIDE = '#eceae5';
export const WATER = '#bcd9e8';
export const WATER_EDGE = '#9fc4d8';
export const BUILDING = 'rgba(122, 110, 96, 0.20)';
export const BUILDING_EDGE = 'rgba(92, 82, 70, 0.42)';
export const STREET = '#ffffff';
export const STREET_EDGE = 'rgba(140, 130, 116, 0.75)';
export const FOOTWAY = 'rgba(150, 132, 104, 0.85)';
export const RAIL = '#8a8f98';
export const STREET_TEXT = '#5a5348';

export const NO_VALUE = '#e3e1dc';
export const SPECIAL_GROUND = '#e6e2ee';
export const SPECIAL_LINE = '#a79dbf';

/** Component majors (CJ/T 214-2007); each dark enough for white figures on it. */
const MAJORS: Record<string, string> = {
  '01': '#3558c4',
  '02': '#b8500c',
  '03': '#0b7285',
  '04': '#2b7a3a',
  '05': '#8636a0',
  '06': '#5f6872',
  '07': '#b02560',
};

export const majorColor = (major: string): string => MAJORS[major.padStart(2, '0')] ?? '#5f6872';

/** Isochrones, nearest first. */
export const ISOCHRONES: Record<number, { line: string; fill: string; dash?: number[] }> = {
  5: { line: '#3b2a86', fill: 'rgba(72, 52, 160, 0.16)' },
  10: { line: '#5a49ad', fill: 'rgba(72, 52, 160, 0.08)', dash: [9, 4] },
  15: { line: '#8176c8', fill: 'rgba(72, 52, 160, 0.05)', dash: [3, 4] },
};
