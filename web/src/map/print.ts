/** The dialog that prints a community's grid map: settings, a look at the sheet, download as PDF or PNG. */
import { address, ask, isAbort } from '../core/client';
import { h, renew } from '../core/dom';
import { number } from '../core/format';
import { lang, nameOf, t } from '../i18n';
import { openDialog } from '../ui/dialog';
import { explain, report } from '../ui/toasts';

export interface Printable {
  code: string;
  name: string;
  name_en?: string | null;
}

export interface PrintOptions {
  /** Code of the community chosen at first. */
  community: string;
  /** Grids of this plan instead of those in force. */
  plan?: number;
  /** Communities to choose from; without them only the one. */
  communities?: readonly Printable[];
}

const SCALES = [500, 1000, 2000, 2500, 5000, 7500, 10_000, 15_000, 20_000, 25_000] as const;
const PREVIEW_WAIT_MS = 250;
/** Pixels across a preview, whatever the paper. */
const PREVIEW_DPI: Record<string, number> = { A4: 96, A3: 68, A2: 48, A1: 36 };
const PNG_DPI: Record<string, number> = { A4: 300, A3: 300, A2: 250, A1: 200 };

function select(
  id: string,
  label: string,
  options: readonly [string, string][],
  chosen: string,
): [HTMLElement, HTMLSelectElement] {
  const field = h(
    'select',
    { id, class: 'field' },
    ...options.map(([value, text]) => h('option', { value, text })),
  );
  field.value = chosen;
  return [h('div', { class: 'print-field' }, h('label', { for: id, text: label }), field), field];
}

/** Open the dialog. */
export function openPrint({ community, plan, communities = [] }: PrintOptions): void {
  const known = communities.length > 0 ? communities : [{ code: community, name: community }];
  let coming: AbortController | null = null;
  let timer = 0;
  let shown = '';
  const dialog = openDialog(t('tools.print'), 'dialog-wide dialog-print', () => {
    coming?.abort();
    window.clearTimeout(timer);
    if (shown) URL.revokeObjectURL(shown);
  });
  const first = known.some(({ code }) => code === community) ? community : (known[0]?.code ?? '');
  const fields = [
    select(
      'print-community',
      t('tools.community'),
      known.map((one) => [one.code, nameOf(one) || one.code]),
      first,
    ),
    select(
      'print-scale',
      t('tools.scale'),
      [['', t('tools.fit')], ...SCALES.map((one): [string, string] => [String(one), `1:${number(one)}`])],
      '',
    ),
    select(
      'print-paper',
      t('tools.paper'),
      ['A4', 'A3', 'A2', 'A1'].map((one) => [one, one]),
      'A3',
    ),
    select(
      'print-orientation',
      t('tools.orientation'),
      [
        ['', t('tools.auto')],
        ['landscape', t('tools.landscape')],
        ['portrait', t('tools.portrait')],
      ],
      '',
    ),
    select(
      'print-lang',
      t('tools.language'),
      [
        ['zh', t('tools.lang.zh')],
        ['en', t('tools.lang.en')],
        ['both', t('tools.lang.both')],
      ],
      lang(),
    ),
  ] as const;
  const value = (at: number): string => fields[at]?.[1].value ?? '';
  const title = (): string => {
    const one = known.find(({ code }) => code === value(0));
    return one ? nameOf(one) : value(0);
  };
  const sheet = (form: 'pdf' | 'png', dpi?: number): URL =>
    address(`sheets/${encodeURIComponent(value(0))}.${form}`, {
      plan: plan ?? null,
      scale: value(1),
      paper: value(2),
      orientation: value(3),
      lang: value(4),
      dpi: dpi ?? null,
    });

  const picture = h('img', { class: 'print-picture', alt: '', hidden: true });
  const status = h('p', { class: 'print-status', role: 'status' });
  const frame = h('div', { class: 'print-preview' }, picture, status);

  /** Scales larger than the largest that fits cannot be chosen. */
  function limitScales(fits: number): void {
    for (const option of fields[1][1].options) {
      const scale = Number(option.value);
      option.disabled = scale > 0 && scale < fits;
      if (scale > 0)
        option.text = option.disabled
          ? t('tools.scaleTooLarge', { scale: number(scale) })
          : `1:${number(scale)}`;
    }
  }

  async function preview(): Promise<void> {
    coming?.abort();
    const mine = (coming = new AbortController());
    status.className = 'print-status';
    status.textContent = t('tools.drawing');
    picture.classList.add('is-old');
    try {
      const response = await ask(sheet('png', PREVIEW_DPI[value(2)]), { signal: mine.signal });
      const blob = await response.blob();
      if (value(1) === '') limitScales(Number(response.headers.get('Sheet-Scale') ?? 0));
      if (mine.signal.aborted) return;
      if (shown) URL.revokeObjectURL(shown);
      shown = URL.createObjectURL(blob);
      picture.src = shown;
      picture.alt = t('tools.previewOf', { name: title() });
      picture.hidden = false;
      picture.classList.remove('is-old');
      status.textContent = '';
      for (const button of [pdf, png]) button.disabled = false;
    } catch (error) {
      if (isAbort(error)) return;
      // a scale that does not fit is the usual reason, and the service says which would
      status.className = 'print-status fault';
      status.textContent = explain(error);
      picture.hidden = true;
      for (const button of [pdf, png]) button.disabled = true;
    }
  }

  function save(form: 'pdf' | 'png'): HTMLButtonElement {
    const button = h('button', {
      type: 'button',
      class: form === 'pdf' ? 'button' : 'button button-plain',
      'data-form': form,
      text: t(`tools.${form}`),
    });
    button.addEventListener('click', () => {
      button.disabled = true;
      const url = sheet(form, form === 'png' ? PNG_DPI[value(2)] : undefined);
      void download(url, `${title()}-${plan === undefined ? '' : `${plan}-`}${value(2)}.${form}`)
        .catch(report)
        .finally(() => (button.disabled = false));
    });
    return button;
  }
  const pdf = save('pdf');
  const png = save('png');
  for (const [at, [, field]] of fields.entries()) {
    field.addEventListener('change', () => {
      // another place or paper fits another scale: which, the next answer tells
      if (at === 0 || at === 2 || at === 3) fields[1][1].value = '';
      window.clearTimeout(timer);
      timer = window.setTimeout(() => void preview(), PREVIEW_WAIT_MS);
    });
  }
  renew(
    dialog.body,
    h(
      'div',
      { class: 'print' },
      h(
        'form',
        { class: 'print-form', on: { submit: (event) => event.preventDefault() } },
        ...fields.map(([field]) => field),
        plan !== undefined && h('p', { class: 'print-note', text: t('tools.draftNote', { plan }) }),
        h('p', { class: 'print-note', text: t('tools.printTrue') }),
      ),
      frame,
    ),
  );
  dialog.foot.append(png, pdf);
  if (first === '') {
    status.textContent = t('tools.noCommunity');
    for (const button of [pdf, png]) button.disabled = true;
  } else void preview();
}

/** Save an answer as a file: fetched, as drafts need the reader's key, which a plain link cannot send. */
async function download(url: URL, name: string): Promise<void> {
  const blob = await (await ask(url)).blob();
  const href = URL.createObjectURL(blob);
  const link = h('a', { href, download: name });
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(href), 60_000);
}
