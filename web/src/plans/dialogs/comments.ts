/** Comments on a plan: the list, and the box to write one. */
import { isAbort } from '../../core/client';
import { h, icon, keepFocus, renew } from '../../core/dom';
import { coordinate } from '../../core/format';
import type { LonLat } from '../../core/types';
import { onLang, t } from '../../i18n';
import { explain, report } from '../../ui/toasts';
import { askWho, session } from '../../ui/who';
import { plansService } from '../service';
import type { PlanComment } from '../types';
import { ago, moment } from '../wording';

const BODY_LENGTH = 4000;
/** Others' comments are looked for this often while the panel is in sight. */
const LOOK_MS = 15_000;

export interface CommentsHooks {
  /** Show the place a comment is about. */
  onPlace: (place: LonLat) => void;
  /** Show the grid a comment is about. */
  onGrid: (code: string) => void;
  /** Called with the number of open comments whenever it changes. */
  onCount?: (open: number) => void;
}

export type Target = { grid: string } | { place: LonLat };

export interface CommentsPanel {
  /** Read the comments again. */
  refresh: () => Promise<void>;
  /** The next comment is about this grid or place (null: the whole plan); the box gets the focus. */
  about: (target: Target | null) => void;
  /** Take the panel out of its host. */
  remove: () => void;
}

const targetText = (target: Target): string =>
  'grid' in target
    ? t('plans.aboutGrid', { code: target.grid })
    : t('plans.aboutPlace', { place: coordinate(...target.place) });

/** Put the comments of a plan into `host`. */
export function commentsPanel(host: HTMLElement, planId: number, hooks: CommentsHooks): CommentsPanel {
  let comments: PlanComment[] | null = null;
  let target: Target | null = null;
  let settled = false;
  let told = -1;
  let armed: number | null = null;
  let gone = false;
  const abort = new AbortController();

  const list = h('ol', { class: 'comment-list' });
  const head = h('div', { class: 'comment-head' });
  const about = h('div', { class: 'comment-about' });
  const body = h('textarea', {
    id: `comment-body-${planId}`,
    class: 'field',
    rows: '3',
    maxlength: BODY_LENGTH,
  });
  const fault = h('p', { class: 'fault', role: 'alert' });
  const send = h('button', { type: 'submit', class: 'button button-small' });
  const form = h(
    'form',
    { class: 'comment-form' },
    about,
    body,
    fault,
    h('div', { class: 'comment-send' }, send),
  );
  const element = h('section', { class: 'comments' }, head, list, form);
  host.append(element);

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void write();
  });
  body.addEventListener('keydown', (event) => {
    event.stopPropagation(); // letters are letters here, no shortcuts of the page
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      void write();
    }
  });

  async function write(): Promise<void> {
    const text = body.value.trim();
    if (!text) {
      fault.textContent = t('plans.commentEmpty');
      body.focus();
      return;
    }
    if (!session.get().me.planner && !(await askWho())) return;
    send.disabled = true;
    fault.textContent = '';
    try {
      await plansService.comment(planId, { body: text, ...(target ?? {}) });
      body.value = '';
      target = null;
      await refresh();
      list.lastElementChild?.scrollIntoView({ block: 'nearest' });
    } catch (error) {
      fault.textContent = explain(error);
    } finally {
      send.disabled = false;
    }
  }

  async function change(act: Promise<unknown>): Promise<void> {
    try {
      await act;
    } catch (error) {
      report(error);
    }
    await refresh();
  }

  function anchor(comment: PlanComment): HTMLElement | null {
    const { grid, place } = comment;
    if (grid) {
      return h('button', {
        type: 'button',
        id: `comment-${comment.id}-where`,
        class: 'comment-where',
        text: t('plans.aboutGrid', { code: grid }),
        on: { click: () => hooks.onGrid(grid) },
      });
    }
    if (!place) return null;
    return h(
      'button',
      {
        type: 'button',
        id: `comment-${comment.id}-where`,
        class: 'comment-where',
        on: { click: () => hooks.onPlace(place) },
      },
      icon('target'),
      h('span', { text: t('plans.atPlace') }),
    );
  }

  function item(comment: PlanComment): HTMLElement {
    const { planner } = session.get().me;
    const act = (key: 'settle' | 'reopen' | 'withdraw' | 'withdrawSure', press: () => void): HTMLElement =>
      h('button', {
        type: 'button',
        id: `comment-${comment.id}-${key}`,
        class: key.startsWith('withdraw') ? 'text-button is-danger' : 'text-button',
        text: t(`plans.comment.${key}`),
        on: { click: press },
      });
    return h(
      'li',
      { class: `comment${comment.resolved ? ' is-settled' : ''}`, 'data-comment': comment.id },
      h(
        'p',
        { class: 'comment-who' },
        h('b', { text: comment.author || t('plans.nobody') }),
        h('time', { datetime: comment.at, title: moment(comment.at), text: ago(comment.at) }),
        comment.resolved && h('span', { class: 'badge badge-current', text: t('plans.settled') }),
      ),
      h('p', { class: 'comment-body', text: comment.body }),
      h(
        'div',
        { class: 'comment-acts' },
        anchor(comment),
        h('span', { class: 'grow' }),
        planner &&
          act(
            comment.resolved ? 'reopen' : 'settle',
            () => void change(plansService.settle(planId, comment, { resolved: !comment.resolved })),
          ),
        planner &&
          act(armed === comment.id ? 'withdrawSure' : 'withdraw', () => {
            // pressed twice: a comment is gone for good
            if (armed === comment.id) void change(plansService.withdraw(planId, comment));
            else {
              armed = comment.id;
              draw();
              document.getElementById(`comment-${comment.id}-withdrawSure`)?.focus();
            }
          }),
      ),
    );
  }

  function drawAbout(): void {
    renew(
      about,
      h('label', { for: body.id, text: target ? targetText(target) : t('plans.aboutPlan') }),
      target &&
        h('button', {
          type: 'button',
          class: 'text-button',
          text: t('plans.aboutPlanInstead'),
          on: {
            click: () => {
              target = null;
              drawAbout();
              body.focus();
            },
          },
        }),
    );
    body.placeholder = t('plans.commentHint');
    send.textContent = t('plans.commentSend');
  }

  function draw(): void {
    const all = comments ?? [];
    const open = all.filter(({ resolved }) => !resolved);
    const shown = settled ? all : open;
    const closed = all.length - open.length;
    element.setAttribute('aria-label', t('plans.comments'));
    keepFocus(head, () =>
      renew(
        head,
        h('h3', { text: t('plans.commentsOpen', { count: open.length }) }),
        closed > 0 &&
          h('button', {
            type: 'button',
            id: `comments-${planId}-settled`,
            class: 'text-button',
            'aria-pressed': String(settled),
            text: t(settled ? 'plans.hideSettled' : 'plans.showSettled', { count: closed }),
            on: {
              click: () => {
                settled = !settled;
                draw();
              },
            },
          }),
      ),
    );
    keepFocus(list, () =>
      renew(
        list,
        ...shown.map(item),
        comments !== null &&
          shown.length === 0 &&
          h('li', { class: 'muted comment-none', text: t('plans.noComments') }),
      ),
    );
    drawAbout();
    if (open.length !== told) {
      told = open.length;
      if (comments !== null) hooks.onCount?.(told);
    }
  }

  async function refresh(): Promise<void> {
    try {
      const next = await plansService.comments(planId, abort.signal);
      const changed = JSON.stringify(next) !== JSON.stringify(comments);
      comments = next;
      if (changed && !gone) draw();
    } catch (error) {
      if (!isAbort(error)) fault.textContent = explain(error);
    }
  }
  const timer = window.setInterval(() => {
    if (element.offsetParent !== null && document.visibilityState === 'visible') void refresh();
  }, LOOK_MS);
  onLang(() => !gone && draw());
  session.on(['me'], () => !gone && draw());
  draw();
  void refresh();
  return {
    refresh,
    about(next) {
      target = next;
      drawAbout();
      body.focus();
    },
    remove() {
      gone = true;
      window.clearInterval(timer);
      abort.abort();
      element.remove();
    },
  };
}
