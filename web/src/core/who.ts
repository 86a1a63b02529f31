/** Who works here: the name edits are noted under, and the editing key where the service asks for one. */

export interface Me {
  planner: boolean;
  name: string;
  /** Editing is open to this machine, without keys. */
  open: boolean;
  keys: boolean;
  with_key: boolean;
}

const NAME = 'gisgrid.author';
const KEY = 'gisgrid.key';

function kept(storage: () => Storage, name: string): string {
  try {
    return storage().getItem(name) ?? '';
  } catch {
    return ''; // storage may be closed by policy
  }
}

function keep(storage: () => Storage, name: string, value: string): void {
  try {
    if (value) storage().setItem(name, value);
    else storage().removeItem(name);
  } catch {
    // not remembered, but used
  }
}

let author = kept(() => localStorage, NAME);
let key = kept(() => sessionStorage, KEY);

export const authorName = (): string => author;

export function setAuthor(name: string): void {
  author = name.trim();
  keep(() => localStorage, NAME, author);
}

/** The key lives as long as the tab. */
export function setKey(value: string): void {
  key = value.trim();
  keep(() => sessionStorage, KEY, key);
}

/** Headers that say who asks. */
export function signature(): Record<string, string> {
  return {
    ...(author ? { 'X-Gisgrid-Author': encodeURIComponent(author) } : {}),
    ...(key ? { Authorization: `Bearer ${key}` } : {}),
  };
}
