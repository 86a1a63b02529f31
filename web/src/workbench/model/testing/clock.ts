/** Time that passes when a test says so. */

import type { Clock } from '../interface';

export interface HandClock extends Clock {
  /** Let time pass, everything due called in turn, and what it started done. */
  pass(milliseconds: number): Promise<void>;
}

/** Promises that wait on nothing but each other are done after a turn of the event loop. */
export const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

export function handClock(): HandClock {
  let now = 1_700_000_000_000;
  let due: { at: number; call: () => void }[] = [];
  return {
    now: () => now,
    after: (milliseconds, call) => {
      const one = { at: now + milliseconds, call };
      due.push(one);
      return () => {
        due = due.filter((other) => other !== one);
      };
    },
    pass: async (milliseconds) => {
      const until = now + milliseconds;
      for (;;) {
        await settle();
        const next = due.filter(({ at }) => at <= until).sort((one, two) => one.at - two.at)[0];
        if (!next) break;
        due = due.filter((other) => other !== next);
        now = next.at;
        next.call();
      }
      now = until;
    },
  };
}
