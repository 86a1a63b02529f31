/** Line icons of the tools. */
const PATHS = {
  paint:
    'M4 20c3 0 4-1 4-3.500C8 15 9 14 10.500 14S13 15 13 16.500C13 19 10 20 4 20zM12 13.500L19 4l2 1.500-7.500 9',
  lasso: 'M12 4c5 0 9 2.500 9 6s-4 6-9 6-9-2.500-9-6 4-6 9-6zM7 15c-1 2 0 3 1.500 3S10 20 8.500 21',
  rectangle: 'M4 5h3M10 5h4M17 5h3v3M20 11v3M20 16v3h-3M14 19h-4M7 19H4v-3M4 14v-3M4 8V5',
  compound: 'M4 20V9l5-4 5 4v11zM14 20v-8h6v8zM7.500 20v-4h3v4M7.500 12h3M17 15v2',
  erase: 'M8.500 20L3.500 15 13 5.500l6.500 6.500L12 20zM8 10.500l6.500 6.500M8.500 20H21',
  pick: 'M14 6l4 4M12.500 7.500l4 4M15 9L7 17l-3.500 1L4.500 14.500l8-8M14 6c1.500-1.500 3-2.500 4.500-1s.5 3-1 4.500',
  boundary: 'M12 3c-3 4 3 6 0 9s3 5 0 9M8 9l-4 3 4 3M16 9l4 3-4 3',
  split: 'M4 5h16v14H4zM14.500 3L9.500 21',
  merge: 'M4 5h16v14H4zM12 5v3M12 16v3M7 12h10M10 9.500L7 12l3 2.500M14 9.500l3 2.500-3 2.500',
  special: 'M4 5h16v14H4zM12 8.500v7M8.500 12h7',
  hand: 'M12 3v18M3 12h18M12 3L9.500 5.500M12 3l2.500 2.500M12 21l-2.500-2.500M12 21l2.500-2.500M3 12l2.500-2.500M3 12l2.500 2.500M21 12l-2.500-2.500M21 12l-2.500 2.500',
  undo: 'M8 5L4 9l4 4M4 9h10a6 6 0 0 1 0 12h-3',
  redo: 'M16 5l4 4-4 4M20 9H10a6 6 0 0 0 0 12h3',
  lock: 'M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3',
  unlock: 'M6 11h12v9H6zM8.500 11V7.500a3.500 3.500 0 0 1 6.800-1.200',
  panel: 'M4 5h16v14H4zM15 5v14',
  print: 'M7 9V4h10v5M7 17H4V9h16v8h-3M7 14h10v6H7z',
  share: 'M12 15V4M8.500 7L12 3.500 15.500 7M6 11H5v9h14v-9h-1',
  comment: 'M4 5h16v11h-9l-4 4v-4H4z',
  compare: 'M4 5h7v14H4zM13 5h7v14h-7zM6.500 9h2M6.500 12h2M15.500 9h2M15.500 15h2',
  keys: 'M3 7h18v11H3zM6.500 10.500h1M10 10.500h1M13.500 10.500h1M17 10.500h1M8 14.500h8',
} as const;

export type ToolIcon = keyof typeof PATHS;

const SVG = 'http://www.w3.org/2000/svg';

export function toolIcon(name: ToolIcon): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}
