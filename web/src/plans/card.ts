/** One plan in the list: a small map, what it is, how good it is, and what may be done with it. */
import { h } from '../core/dom';
import { number } from '../core/format';
import type { AreaName } from '../core/types';
import { t } from '../i18n';
import { bar } from '../ui/parts';
import type { Plan } from './types';
import { reasonTexts } from './reasons';
import { ago, areaPath, areaOf, bandText, figure, inBandOf, moment, nameOfPlan, share } from './wording';

export const workbenchOf = (plan: number): string => `./workbench?plan=${plan}`;
export const compareOf = (plan: number, other: string | number = 'published'): string =>
  `./compare?plan=${plan}&with=${other}`;

/** What the buttons of a card do; those that are missing are not offered. */
export interface CardActions {
  share: (plan: Plan) => void;
  duplicate?: (plan: Plan) => void;
  publish?: (plan: Plan) => void;
  rename?: (plan: Plan) => void;
  remove?: (plan: Plan) => void;
}

export interface CardContext {
  areas: ReadonlyMap<string, AreaName>;
  current: number | null;
  thumbnail: (plan: Plan) => HTMLElement;
  actions: CardActions;
}

/** Reasons listed before "and so many more". */
const REASONS = 8;

const badge = (kind: string, text: string, title?: string): HTMLElement =>
  h('span', { class: `badge badge-${kind}`, text, title: title ?? null });

/** What state a plan is in, in words with a colour. */
export function badgesOf(plan: Plan, current: number | null): HTMLElement[] {
  const found: HTMLElement[] = [];
  if (plan.publication?.state === 'waiting') {
    found.push(badge('waiting', t('plans.waitingAt', { when: moment(plan.publication.effective_at) })));
  } else if (plan.status === 'published') {
    const number = plan.generation ?? '–';
    found.push(
      plan.generation !== null && plan.generation === current
        ? badge('current', t('plans.inForce', { generation: number }))
        : badge('published', t('plans.publishedAs', { generation: number })),
    );
  } else found.push(badge('draft', t('plans.draft')));
  if (plan.publication?.state === 'refused') {
    found.push(badge('bad', t('plans.refused')));
  }
  if (plan.feasible === false) {
    // in band, yet broken, or with ground nobody has
    found.push(badge('bad', t(inBandOf(plan.stats) === 1 ? 'plans.unsound' : 'plans.infeasible')));
  }
  return found;
}

function figures(plan: Plan): HTMLElement {
  const { stats } = plan;
  const inBand = inBandOf(stats);
  const one = (label: string, value: string): HTMLElement =>
    h('div', { class: 'plan-figure' }, h('dt', { text: label }), h('dd', { text: value }));
  return h(
    'dl',
    { class: 'plan-figures' },
    one(t('plans.grids'), figure(stats.grids)),
    one(t('plans.households'), figure(stats.households)),
    h(
      'div',
      { class: 'plan-figure plan-figure-band' },
      h('dt', { text: t('plans.inBand') }),
      h(
        'dd',
        {},
        h('span', { text: share(inBand) }),
        inBand !== null && bar(inBand, inBand < 1 ? 'is-short' : ''),
      ),
    ),
  );
}

/** Nobody was there when it was refused: what the service said is told here. */
function refusedBecause({ publication }: Plan): HTMLElement | null {
  if (publication?.state !== 'refused') return null;
  return h(
    'p',
    { class: 'plan-refused' },
    t('plans.refusedAt', { when: moment(publication.effective_at) }),
    publication.fault && h('span', { class: 'muted', text: publication.fault }),
  );
}

function why(plan: Plan, areas: ReadonlyMap<string, AreaName>): HTMLElement | null {
  const reasons = plan.feasible === false ? (plan.reasons ?? []) : [];
  if (reasons.length === 0) return null;
  const texts = reasonTexts(reasons, areas);
  return h(
    'details',
    { class: 'plan-why' },
    h('summary', { text: t('plans.why', { count: number(texts.length) }) }),
    h(
      'ul',
      {},
      ...texts.slice(0, REASONS).map((text) => h('li', { text })),
      texts.length > REASONS &&
        h('li', { class: 'muted', text: t('plans.whyMore', { count: number(texts.length - REASONS) }) }),
    ),
  );
}

function buttons(plan: Plan, { actions }: CardContext, label: string): HTMLElement {
  const name = nameOfPlan(plan);
  const one = (key: 'share' | 'duplicate' | 'publish' | 'rename' | 'remove'): HTMLElement | null => {
    const act = actions[key];
    if (!act) return null;
    const text = t(
      key === 'publish' && plan.publication?.state === 'waiting' ? 'plans.do.waiting' : `plans.do.${key}`,
    );
    return h('button', {
      type: 'button',
      id: `plan-${plan.id}-${key}`,
      class: key === 'remove' ? 'text-button is-danger' : 'text-button',
      'aria-label': `${text} ${name}`,
      text,
      on: { click: () => act(plan) },
    });
  };
  const draft = plan.status === 'draft';
  return h(
    'div',
    { class: 'plan-actions', role: 'group', 'aria-label': t('plans.actions', { name: label }) },
    h('a', {
      class: 'button button-small',
      href: workbenchOf(plan.id),
      text: t(draft && actions.publish ? 'plans.do.edit' : 'plans.do.open'),
      'aria-label': `${t(draft && actions.publish ? 'plans.do.edit' : 'plans.do.open')} ${name}`,
    }),
    h('a', {
      class: 'text-button',
      href: compareOf(plan.id),
      text: t('plans.do.compare'),
      'aria-label': `${t('plans.do.compare')} ${name}`,
    }),
    draft ? one('publish') : null,
    one('duplicate'),
    one('share'),
    one('rename'),
    draft ? one('remove') : null,
  );
}

/** The card of a plan. */
export function planCard(plan: Plan, context: CardContext): HTMLElement {
  const name = nameOfPlan(plan);
  const id = `plan-${plan.id}-name`;
  const when = plan.updated_at ?? plan.created_at;
  return h(
    'li',
    {},
    h(
      'article',
      { class: 'card plan-card', 'aria-labelledby': id, 'data-plan': plan.id },
      h(
        'a',
        { class: 'plan-picture', href: workbenchOf(plan.id), tabindex: '-1', 'aria-hidden': 'true' },
        context.thumbnail(plan),
      ),
      h(
        'div',
        { class: 'plan-about' },
        h(
          'div',
          { class: 'plan-head' },
          h('h3', { id, text: name, title: name }),
          ...badgesOf(plan, context.current),
        ),
        h(
          'p',
          { class: 'plan-meta' },
          h('span', { text: areaPath(plan.area, context.areas) || areaOf(plan) }),
          h('span', { text: bandText(plan) }),
          h('span', { text: plan.author || t('plans.nobody') }),
          h('time', { datetime: when, title: moment(when), text: ago(when) }),
        ),
        refusedBecause(plan),
        plan.note && h('p', { class: 'plan-note', text: plan.note, title: plan.note }),
        figures(plan),
        why(plan, context.areas),
        buttons(plan, context, name),
      ),
    ),
  );
}
