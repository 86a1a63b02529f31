/** The time slider: steps of the period with how much there was, played one after another. */
import { h, icon, renew } from '../core/dom';
import { date, number } from '../core/format';
import type { Store } from '../core/store';
import { t } from '../i18n';
import { choices } from '../ui/parts';
import { strip } from './charts';
import type { Heating } from './heating';
import type { HeatState, Step } from './state';

const STEPS: readonly Step[] = ['month', 'week'];

/** Fill `host`; what moves with time is renewed without taking the slider from under a hand. */
export function timeline(heat: Store<HeatState>, heating: Heating): HTMLElement {
  const bars = h('div', { class: 'strip-box' });
  const told = h('p', { class: 'time-told', role: 'status' });
  const slider = h('input', {
    type: 'range',
    id: 'heat-frame',
    class: 'range',
    min: 0,
    step: 1,
    on: {
      input: () => {
        heating.play(false);
        heat.set({ frame: Number(slider.value) });
      },
    },
  });
  const player = h('button', {
    type: 'button',
    id: 'heat-play',
    class: 'icon-button time-play',
    on: { click: () => heating.play(!heat.get().playing) },
  });
  const whole = h('button', {
    type: 'button',
    class: 'button button-quiet',
    text: t('analysis.stop'),
    on: {
      click: () => {
        heating.play(false);
        heat.set({ frame: null });
        slider.focus();
      },
    },
  });

  function follow(): void {
    const { frames, frame, playing, surface } = heat.get();
    const parts = frames?.frames ?? [];
    slider.max = String(Math.max(0, parts.length - 1));
    slider.disabled = parts.length < 2;
    player.disabled = parts.length < 2;
    slider.value = String(frame ?? 0);
    const part = frame === null ? null : parts[frame];
    const range = part ?? surface;
    const words = range
      ? t(part ? 'analysis.frame.one' : 'analysis.frame.all', { from: date(range.from), to: date(range.to) })
      : t('analysis.waiting');
    const amount = range ? t('analysis.frame.count', { count: number(range.reports) }) : '';
    slider.setAttribute('aria-label', t('analysis.frame'));
    slider.setAttribute('aria-valuetext', `${words}, ${amount}`);
    renew(told, h('span', { text: words }), h('b', { text: amount }));
    renew(
      bars,
      strip(
        parts.map(({ reports }) => reports),
        frame,
      ),
    );
    renew(player, icon(playing ? 'pause' : 'play'));
    const label = t(playing ? 'analysis.pause' : 'analysis.play');
    player.setAttribute('aria-label', label);
    player.title = label;
    whole.hidden = frame === null;
  }
  const box = h(
    'div',
    { class: 'timeline' },
    choices(
      'heat-step',
      t('analysis.step'),
      STEPS.map((value) => ({ value, label: t(`analysis.${value}`) })),
      heat.get().step,
      (step) => heat.set({ step }),
    ),
    h('div', { class: 'time-row' }, player, h('div', { class: 'time-track' }, bars, slider)),
    told,
    whole,
  );
  const off = heat.on(['frames', 'frame', 'playing', 'surface'], () => {
    if (box.isConnected) follow();
    else off();
  });
  follow();
  return box;
}
