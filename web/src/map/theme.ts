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

/** Dashes of the walking ranges, nearest first: colour alone must not tell them apart. */
export const ISOCHRONE_DASH: Record<number, number[]> = { 10: [10, 4], 15: [2, 5] };

/** Circles: told apart by hatch, dash and width as well, for every kind of colour vision. */
export const BLIND = '#b3341a';
export const BLIND_BUILDING = '#d9713f';
export const COVERED = '#2f8f83';
export const UNASSESSED = '#9aa3ad';
export const REACHED_EDGE = 'rgba(40, 46, 54, 0.55)';
export const WAY = '#c2127a';
export const WAY_FAINT = 'rgba(163, 20, 104, 0.38)';
export const RANGE_COLORS: ReadonlyMap<number, string> = new Map([
  [5, '#5b2a86'],
  [10, '#8b5cb8'],
  [15, '#b796d6'],
]);
