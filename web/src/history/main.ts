/** The page of what was changed: when, by whom, what before and after, why. */
import '../styles/index.css';
import './history.css';
import { address, getJson, ServiceError } from '../core/client';
import { h, renew } from '../core/dom';
import { onLang, t, tOr } from '../i18n';
import { createFrame } from '../ui/frame';
import { explain, toast } from '../ui/toasts';
import { type Change, changedFields, clock, type Entry, isEmpty, short } from './words';

interface Page {
  entries: Entry[];
  links: { rel: string; href: string }[];
}

interface Head {
  seq: number;
  hash: string;
}

const SUBJECTS = [
  'grids',
  'plans',
  'plan_edits',
  'plan_comments',
  'generations',
  'publications',
  'components',
  'facilities',
  'reports',
  'report_updates',
  'reassignments',
  'areas',
  'posts',
  'users',
  'tokens',
  'grants',
  'webhooks',
  'database',
] as const;
const FIELDS = ['area', 'principal', 'from', 'to'] as const;
const LABELS = {
  area: 'history.area',
  principal: 'history.person',
  from: 'history.from',
  to: 'history.to',
} as const;
const ROWS_SHOWN = 5;
const PAGE = 50;

const subjectName = (subject: string): string => tOr(`history.s.${subject}`, subject);
const fieldName = (field: string): string => tOr(`history.f.${field}`, field);

function difference(change: Change): HTMLElement[] {
  return changedFields(change).map((field) => {
    if (field === 'geometry') return h('span', { class: 'history-field', text: t('history.shape') });
    const side = (tag: 'del' | 'ins', value: unknown): HTMLElement =>
      h(tag, { class: isEmpty(value) ? 'is-empty' : '', text: short(value) });
    return h(
      'span',
      { class: 'history-field' },
      `${fieldName(field)} `,
      side('del', change.before?.[field]),
      ' → ',
      side('ins', change.after?.[field]),
    );
  });
}

const rowCount = (count: number): string => (count === 1 ? t('history.row') : t('history.rows', { count }));

function rowsOf(entry: Entry): HTMLElement {
  if (entry.digest) {
    const values = { count: entry.digest.rows, hash: entry.digest.sha256.slice(0, 12) };
    return h('p', { class: 'history-digest', text: t('history.digest', values) });
  }
  const shown = entry.changes.slice(0, ROWS_SHOWN);
  const more = entry.rows - shown.length;
  return h(
    'ul',
    { class: 'history-rows' },
    ...shown.map((change) =>
      h('li', {}, h('strong', { text: short(change.label || change.id) }), ' ', ...difference(change)),
    ),
    more > 0 && h('li', { class: 'history-quiet', text: t('history.moreRows', { count: more }) }),
  );
}

function card(entry: Entry): HTMLElement {
  const moment = new Date(entry.at);
  const who = entry.name || (entry.principal === 'nobody' ? t('history.nobody') : entry.principal);
  return h(
    'li',
    { class: 'history-entry', id: `entry-${entry.seq}` },
    h('time', {
      datetime: entry.at,
      title: entry.at,
      text: clock(moment),
    }),
    h(
      'div',
      { class: 'history-what' },
      h(
        'p',
        { class: 'history-line' },
        h('span', { class: 'history-who', title: entry.principal, text: who }),
        ' ',
        h('span', { class: `history-action ${entry.action}`, text: t(`history.${entry.action}`) }),
        ` ${subjectName(entry.subject)} `,
        h('span', { class: 'history-quiet', text: rowCount(entry.rows) }),
      ),
      rowsOf(entry),
      entry.reason &&
        h('p', { class: 'history-reason', text: t('history.reason', { reason: entry.reason }) }),
      h('p', { class: 'history-origin history-quiet', text: `#${entry.seq} ${entry.origin}` }),
    ),
  );
}

async function start(root: HTMLElement): Promise<void> {
  const frame = await createFrame(root, 'history', 'history.title');
  const asked = new URLSearchParams(location.search);
  let entries: Entry[] = [];
  let next: string | null = null;
  let head: Head | null = null;
  let fault = '';
  const list = h('ol', { class: 'history-list' });
  const form = h('form', { class: 'history-filters' });
  const foot = h('div', { class: 'history-foot' });
  const seal = h('p', { class: 'history-seal history-quiet' });
  const intro = h('p', { class: 'history-quiet' });

  function drawForm(): void {
    const select = h(
      'select',
      { class: 'field', name: 'subject', id: 'history-subject' },
      h('option', { value: '', text: t('history.all') }),
      ...SUBJECTS.map((name) =>
        h('option', { value: name, selected: asked.get('subject') === name, text: subjectName(name) }),
      ),
    );
    renew(
      form,
      h('label', {}, t('history.subject'), select),
      ...FIELDS.map((name) =>
        h(
          'label',
          {},
          t(LABELS[name]),
          h('input', {
            class: 'field',
            name,
            id: `history-${name}`,
            type: name === 'from' || name === 'to' ? 'date' : 'text',
            value: asked.get(name) ?? '',
          }),
        ),
      ),
      h('button', { type: 'submit', class: 'button', text: t('history.show') }),
    );
  }

  function draw(): void {
    intro.textContent = t('history.intro');
    seal.textContent = head ? t('history.head', { seq: head.seq, hash: head.hash.slice(0, 16) }) : '';
    seal.title = head?.hash ?? '';
    renew(list, ...entries.map(card));
    renew(
      foot,
      fault && h('p', { class: 'plans-notice', role: 'alert', text: fault }),
      !fault && !entries.length && h('p', { class: 'history-quiet', text: t('history.none') }),
      next !== null &&
        h('button', {
          type: 'button',
          class: 'button',
          id: 'history-more',
          text: t('history.more'),
          on: { click: () => void read(false) },
        }),
    );
  }

  async function read(fresh: boolean): Promise<void> {
    const last = fresh ? undefined : entries.at(-1)?.seq;
    try {
      const url = address('history', { limit: PAGE, before: last ?? null });
      for (const [name, value] of asked) if (value) url.searchParams.set(name, value);
      const page = await getJson<Page>(url);
      entries = fresh ? page.entries : [...entries, ...page.entries];
      next = page.links.find(({ rel }) => rel === 'next')?.href ?? null;
      fault = '';
      if (fresh) head = await getJson<Head>(address('history/head'));
    } catch (error) {
      const denied = error instanceof ServiceError && (error.status === 401 || error.status === 403);
      fault = denied ? t('history.denied') : explain(error);
      if (!denied) toast(fault);
      if (fresh) entries = [];
      next = null;
    }
    draw();
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    for (const name of ['subject', ...FIELDS]) {
      const value = String(new FormData(form).get(name) ?? '').trim();
      if (value) asked.set(name, value);
      else asked.delete(name);
    }
    window.history.replaceState(null, '', asked.size ? `?${asked.toString()}` : location.pathname);
    void read(true);
  });
  renew(frame.main, h('div', { class: 'history-page' }, intro, form, list, foot, seal));
  drawForm();
  onLang(() => {
    drawForm();
    draw();
  });
  await read(true);
  document.body.setAttribute('data-ready', 'history');
}

const root = document.getElementById('app');
if (root) void start(root);
