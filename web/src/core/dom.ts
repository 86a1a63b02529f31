/** Building the page's elements without strings of HTML. */
type Child = Node | string | number | null | undefined | false;

export interface Attributes {
  class?: string;
  text?: string;
  on?: Partial<{ [K in keyof HTMLElementEventMap]: (event: HTMLElementEventMap[K]) => void }>;
  [attribute: string]: unknown;
}

/** An element with attributes, listeners (`on`) and children; `false` and null leave an attribute or child out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'class') element.className = String(value);
    else if (name === 'text') element.textContent = String(value);
    else if (name === 'on') {
      for (const [type, listener] of Object.entries(value as object)) {
        element.addEventListener(type, listener as EventListener);
      }
    } else element.setAttribute(name, value === true ? '' : String(value));
  }
  fill(element, ...children);
  return element;
}

/** Add children to an element. */
export function fill(element: Element, ...children: Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

/** Replace what an element holds. */
export function renew(element: Element, ...children: Child[]): void {
  element.replaceChildren();
  fill(element, ...children);
}

/** Redraw what `host` holds without throwing the keyboard out: what has the same id has the focus again. */
export function keepFocus(host: HTMLElement, draw: () => void): void {
  const held = document.activeElement;
  const id = held && held !== host && host.contains(held) ? held.id : '';
  draw();
  if (id) document.getElementById(id)?.focus({ preventScroll: true });
}

const ICONS = {
  close: 'M6 6l12 12M18 6L6 18',
  search: 'M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14zM16.2 16.2L21 21',
  layers: 'M12 3l9 5-9 5-9-5 9-5zM3 12.500l9 5 9-5M3 17l9 5 9-5',
  walk: 'M13 4.500a1.500 1.500 0 1 0 0-.01M9 21l2.500-6 2.500 2.500V21M7 12l2-3.500 3.500-.8 1.500 3 3 1.300M11.500 15l1-7',
  home: 'M4 11l8-7 8 7v9h-5.500v-6h-5v6H4z',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  check: 'M5 12.500l4.500 4.500L19 7.500',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  target: 'M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10zM12 2v4M12 18v4M2 12h4M18 12h4',
  left: 'M14.500 6l-6 6 6 6',
  right: 'M9.500 6l6 6-6 6',
  down: 'M6 9.500l6 6 6-6',
  up: 'M6 14.500l6-6 6 6',
  ruler: 'M3 15.500L15.500 3 21 8.500 8.500 21zM7 11.500l2 2M10 8.500l3 3M13 5.500l2 2',
  print: 'M7 9V4h10v5M7 17H4v-8h16v8h-3M7 14h10v6H7z',
  link: 'M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-5.700-5.700L12 7M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 5.700 5.700L12 17',
  flame:
    'M12 3c.5 3.500 5 5.500 5 10.500a5 5 0 0 1-10 0c0-2.200 1-3.700 2.200-5 .3 1.500 1 2.300 1.800 2.500C11.500 8.500 11 5.500 12 3z',
  pin: 'M12 21c4.500-5 6.500-8 6.500-11a6.500 6.500 0 0 0-13 0c0 3 2 6 6.500 11zM12 7.500a2.500 2.500 0 1 1 0 5 2.500 2.500 0 0 1 0-5z',
  table: 'M4 5h16v14H4zM4 10h16M4 14.500h16M10 10v9',
  play: 'M8 5.500v13l10.500-6.500z',
  pause: 'M8.500 5.500v13M15.500 5.500v13',
  download: 'M12 4v10.500M7.500 10.500L12 15l4.500-4.500M5 19.500h14',
  lock: 'M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3',
  warn: 'M12 4l9.500 16.500h-19zM12 10v5M12 17.500v.5',
} as const;

export type IconName = keyof typeof ICONS;

const SVG = 'http://www.w3.org/2000/svg';

/** A line icon in the colour of the text around it, hidden from screen readers. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

/** A button that shows an icon alone and says its name. */
export function iconButton(
  name: IconName,
  label: string,
  press: () => void,
  className = '',
): HTMLButtonElement {
  return h(
    'button',
    {
      type: 'button',
      class: `icon-button ${className}`.trim(),
      'aria-label': label,
      title: label,
      on: { click: press },
    },
    icon(name),
  );
}
