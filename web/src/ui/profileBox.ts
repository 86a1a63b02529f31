/** Who moves: the profile, its circles computed or not, and the speed of the moment. */
import { type App, isComputed } from '../core/app';
import type { Circling } from '../core/circling';
import { h } from '../core/dom';
import { percent } from '../core/format';
import { type Profile, PROFILES } from '../core/types';
import { t } from '../i18n';
import { choices } from './parts';

/** Usual metres a second; cars go as their streets allow, so theirs is a share of that. */
const USUAL: Record<Profile, number> = { adult: 1.1, elderly: 0.8, frail: 0.65, bicycle: 4.2, car: 1 };

export function profileChoice(app: App, circling: Circling): HTMLElement {
  const { profile, computed } = app.store.get();
  return choices(
    'profile',
    t('circles.profile'),
    PROFILES.map((value) => ({
      value,
      label: t(`profile.${value}`),
      ...(computed && !computed.includes(value) && { note: t('circles.notComputed') }),
    })),
    profile,
    (value) => circling.profile(value),
  );
}

/** Metres a second, or a share for cars, for what is asked just now; empty takes the profile's own. */
export function speedField(app: App): HTMLElement {
  const { store } = app;
  const { profile, speed } = store.get();
  const car = profile === 'car';
  const input = h('input', {
    type: 'number',
    id: 'speed',
    class: 'speed',
    min: 0.1,
    max: car ? 3 : 15,
    step: 0.05,
    placeholder: USUAL[profile],
    'aria-describedby': 'speed-hint',
    on: {
      change: () => {
        if (!input.reportValidity()) return;
        store.set({ speed: input.value === '' ? null : input.valueAsNumber });
      },
    },
  });
  input.value = speed === null ? '' : String(speed);
  return h(
    'div',
    { class: 'speed-row', title: t('circles.speedHint') },
    h('label', { for: 'speed', text: t(car ? 'circles.factor' : 'circles.speed') }),
    input,
    h('span', { class: 'muted', text: t(car ? 'circles.factorUnit' : 'circles.speedUnit') }),
    speed !== null &&
      h('button', {
        type: 'button',
        id: 'speed-reset',
        class: 'text-button',
        text: t('circles.speedReset'),
        on: { click: () => store.set({ speed: null }) },
      }),
    h('span', { id: 'speed-hint', class: 'unseen', text: t('circles.speedHint') }),
  );
}

/** What is said where the circles of the profile are not stored, or no longer fit the data; null when all is well. */
export function computeBox(app: App, circling: Circling): HTMLElement | null {
  const state = app.store.get();
  const { computed, computing, profile, summary } = state;
  if (computing) {
    const done = h('progress', { max: 1, value: computing.share, 'aria-label': t('circles.computing') });
    return h(
      'div',
      { class: 'compute', role: 'status' },
      h('p', { text: t('circles.computingOf', { profile: t(`profile.${computing.profile}`) }) }),
      h(
        'div',
        { class: 'compute-row' },
        done,
        h('span', { class: 'amount', text: percent(computing.share) }),
      ),
    );
  }
  const missing = computed !== null && !isComputed(state);
  if (!missing && !summary?.outdated) return null;
  const name = t(`profile.${profile}`);
  return h(
    'div',
    { class: 'compute' },
    h('p', { text: missing ? t('circles.missing', { profile: name }) : t('circles.outdated') }),
    h('button', {
      type: 'button',
      id: 'compute',
      class: 'button',
      text: t(missing ? 'circles.compute' : 'circles.again', { profile: name }),
      on: { click: () => void circling.compute(profile) },
    }),
  );
}
