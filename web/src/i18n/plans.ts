/** Words of plans: the list, making, comparing, publishing. */
import { compareWords } from './compareWords';
import { plansWords } from './plansWords';

export const plansTexts = {
  zh: { ...plansWords.zh, ...compareWords.zh },
  en: { ...plansWords.en, ...compareWords.en },
} as const;
