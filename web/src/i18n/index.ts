/** The language in use: Chinese unless the reader chose otherwise, remembered in this browser. */
import { type TextKey, texts } from './texts';

export type Lang = keyof typeof texts;

const KEPT = 'gisgrid.lang';
const HTML_LANG: Record<Lang, string> = { zh: 'zh-CN', en: 'en' };

function remembered(): Lang {
  try {
    return localStorage.getItem(KEPT) === 'en' ? 'en' : 'zh';
  } catch {
    return 'zh'; // storage may be closed by policy
  }
}

let current: Lang = 'zh';
const listeners = new Set<() => void>();

export const lang = (): Lang => current;

export function startLang(): void {
  current = remembered();
  document.documentElement.lang = HTML_LANG[current];
}

export function setLang(next: Lang): void {
  if (next === current) return;
  current = next;
  document.documentElement.lang = HTML_LANG[next];
  try {
    localStorage.setItem(KEPT, next);
  } catch {
    // not remembered, but used
  }
  for (const listener of listeners) listener();
}

/** Run `listener` after every change of language. */
export function onLang(listener: () => void): void {
  listeners.add(listener);
}

/** The text of `key` in the language in use, with `{name}` marks filled from `values`. */
export function t(key: TextKey, values: Record<string, string | number> = {}): string {
  return texts[current][key].replace(/\{(\w+)\}/g, (mark, name: string) => String(values[name] ?? mark));
}

/** The name to show of a thing that has a Chinese and perhaps an English one. */
export function nameOf(thing: { name: string | null; name_en?: string | null }): string {
  return (current === 'en' ? thing.name_en || thing.name : thing.name || thing.name_en) ?? '';
}

/** The label to show where the service gives both. */
export function labelOf(zh: string | undefined, en: string | undefined): string {
  return (current === 'en' ? en || zh : zh || en) ?? '';
}

const isKey = (key: string): key is TextKey => Object.hasOwn(texts.zh, key);

/** The text of a key made of parts the service sends, or `otherwise` when there is none. */
export function tOr(key: string, otherwise: string): string {
  return isKey(key) ? t(key) : otherwise;
}
