/** Every word the pages say, in both languages; each page's words have a file of their own. */
import { analysisTexts } from './analysis';
import { dispatchTexts } from './dispatch';
import { frameTexts } from './frame';
import { historyTexts } from './history';
import { mapTexts } from './map';
import { peopleTexts } from './people';
import { placeTexts } from './place';
import { plansTexts } from './plans';
import { toolsTexts } from './tools';
import { workbenchTexts } from './workbench';

const parts = [
  frameTexts,
  mapTexts,
  analysisTexts,
  toolsTexts,
  plansTexts,
  workbenchTexts,
  dispatchTexts,
  placeTexts,
  peopleTexts,
  historyTexts,
] as const;

type KeysOf<T> = T extends unknown ? keyof T & string : never;
export type TextKey = KeysOf<(typeof parts)[number]['zh']>;

const joined = (lang: 'zh' | 'en'): Readonly<Record<TextKey, string>> =>
  Object.assign({}, ...parts.map((part) => part[lang])) as Record<TextKey, string>;

export const texts = { zh: joined('zh'), en: joined('en') } as const;
