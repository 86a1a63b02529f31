import '../styles/tokens.css';
import '../styles/notices.css';
import '../styles/place.css';
import { address, busy, ServiceError } from '../core/client';
import { h, renew } from '../core/dom';
import { date } from '../core/format';
import type { NearestAnswer } from '../core/types';
import { nameOf, onLang, startLang, t, tOr } from '../i18n';
import { createLanguage } from '../ui/frame';
import { startToasts, toast } from '../ui/toasts';
import { type PlaceAnswer, places } from './answers';
import { showSketch } from './map';
import * as parts from './sections';

interface Shown {
  code: string;
  place: PlaceAnswer | null;
  nearest: NearestAnswer | null;
  fault: unknown;
}

/** The code in the address; what is pasted around it (blanks) is left out. */
function codeAsked(): string {
  return (new URLSearchParams(window.location.search).get('code') ?? '').trim();
}

/** The page's own address, short enough for a small QR code on a door plate. */
const shortAddress = (code: string): string =>
  new URL(`place?code=${encodeURIComponent(code)}`, document.baseURI).href;

function actions(place: PlaceAnswer): HTMLElement {
  const [lon, lat] = place.point;
  const at = `${lon.toFixed(6)},${lat.toFixed(6)}`;
  const zoom = place.place === 'grid' ? 17 : 15;
  const sheet = address(`sheets/${encodeURIComponent(place.code.slice(0, 12))}.pdf`, { paper: 'A4' });
  return h(
    'p',
    { class: 'place-actions' },
    h('a', {
      class: 'place-button is-main',
      href: `./#${zoom}.00/${lat.toFixed(5)}/${lon.toFixed(5)}?at=${at}`,
      text: t('place.reportHere'),
    }),
    h('a', {
      class: 'place-button',
      href: `./#${zoom}.00/${lat.toFixed(5)}/${lon.toFixed(5)}`,
      text: t('place.openMap'),
    }),
    h('a', {
      class: 'place-button',
      href: sheet.href,
      target: '_blank',
      rel: 'noopener',
      text: t('place.sheet'),
    }),
  );
}

function ownAddress(code: string): HTMLElement {
  const href = shortAddress(code);
  const copy = (): void => {
    void navigator.clipboard?.writeText(href).then(() => toast(t('place.copied'), 'done'));
  };
  return parts.section(
    t('place.address'),
    null,
    h(
      'p',
      { class: 'place-address' },
      h('code', { text: href }),
      h('button', { type: 'button', class: 'place-button', text: t('place.copy'), on: { click: copy } }),
    ),
  );
}

function page(place: PlaceAnswer, nearest: NearestAnswer | null): HTMLElement[] {
  const title = parts.titleOf(place);
  const kind = place.place === 'grid' ? tOr(`kind.${place.kind}`, place.kind) : t('level.community');
  const map = parts.section(
    t('place.map'),
    t(place.place === 'grid' ? 'place.mapHint' : 'place.mapHintCommunity'),
  );
  showSketch(map, place, title);
  const made = [
    h(
      'div',
      { class: 'place-head' },
      parts.chain(place),
      h('h1', { text: title }),
      h(
        'p',
        { class: 'place-code' },
        h('code', { text: place.code }),
        h('span', { class: 'place-kind', text: kind }),
      ),
    ),
    parts.numbers(place),
    map,
    actions(place),
    parts.posts(place),
    parts.reports(place),
    parts.circles(place),
    nearest && parts.nearest(nearest),
    parts.facilities(place),
    parts.components(place),
    ownAddress(place.code),
    h('p', {
      class: 'place-hint',
      text: t('place.updated', { id: place.generation.id, date: date(place.generation.published_at) }),
    }),
  ];
  return made.filter((part): part is HTMLElement => part !== null);
}

/** Nothing to show: why, and ways to go on. */
function astray(code: string, fault: unknown): HTMLElement[] {
  const missing = code === '' || (fault instanceof ServiceError && fault.status === 404);
  if (!missing) {
    const again = h('button', { type: 'button', class: 'place-button is-main', text: t('place.retry') });
    again.addEventListener('click', () => window.location.reload());
    const why = fault instanceof Error ? fault.message : String(fault);
    return [
      h('div', { class: 'place-head' }, h('h1', { text: t('place.failed') }), h('p', { text: why }), again),
    ];
  }
  const input = h('input', {
    id: 'place-code',
    name: 'code',
    class: 'place-input',
    inputmode: 'numeric',
    autocomplete: 'off',
    value: code,
    required: true,
  });
  const list = h('ul', { class: 'place-tags' });
  void places.communities().then(
    (areas) => {
      renew(
        list,
        ...areas
          .slice(0, 60)
          .map((area) => h('li', {}, h('a', { href: `./place?code=${area.code}`, text: nameOf(area) }))),
      );
    },
    () => undefined,
  );
  return [
    h(
      'div',
      { class: 'place-head' },
      h('h1', { text: t(code === '' ? 'place.noCode' : 'place.missing') }),
      h('p', { text: code === '' ? t('place.noCodeHint') : t('place.missingHint', { code }) }),
      h(
        'form',
        { class: 'place-form', method: 'get', action: './place' },
        h('label', { for: 'place-code', text: t('place.code') }),
        h(
          'div',
          { class: 'place-row' },
          input,
          h('button', { class: 'place-button is-main', text: t('place.go') }),
        ),
      ),
      h('p', {}, h('a', { href: './', text: t('place.openMap') })),
    ),
    h('section', { class: 'place-part' }, h('h2', { text: t('place.communities') }), list),
  ];
}

function show(main: HTMLElement, shown: Shown): void {
  const { code, place, nearest, fault } = shown;
  document.title = t('frame.page', { title: place ? parts.titleOf(place) : t('place.title') });
  renew(main, ...(place ? page(place, nearest) : astray(code, fault)));
}

async function open(root: HTMLElement): Promise<void> {
  startLang();
  startToasts(document.body);
  const brand = h('a', { class: 'place-brand', href: './' });
  const main = h('main', { id: 'main', class: 'place' });
  root.classList.add('place-root');
  renew(
    root,
    h(
      'header',
      { class: 'place-top' },
      h('img', { src: './icon.svg', alt: '', width: 26, height: 26 }),
      brand,
      createLanguage(),
    ),
    main,
  );
  const shown: Shown = { code: codeAsked(), place: null, nearest: null, fault: null };
  const say = (): void => {
    brand.textContent = t('app.title');
    show(main, shown);
  };
  brand.textContent = t('app.title');
  renew(main, h('p', { class: 'place-hint', role: 'status', text: t('place.loading') }));
  if (shown.code !== '') {
    await places.one(shown.code).then(
      (place) => (shown.place = place),
      (fault: unknown) => (shown.fault = fault),
    );
  }
  onLang(say);
  say();
  // the ways take a moment longer than the figures: they join when they are there
  if (shown.place) {
    shown.nearest = await places.nearest(shown.place.point).catch(() => null);
    if (shown.nearest) say();
  }
  await quiet();
  document.body.setAttribute('data-ready', 'place');
}

/** Resolves when nothing is under way any more. */
async function quiet(): Promise<void> {
  do await new Promise((done) => setTimeout(done, 60));
  while (busy() > 0);
}

const root = document.getElementById('app');
if (root) void open(root);
