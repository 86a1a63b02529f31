/** Who works here: who is signed in, the name edits are noted under, and a token where one was given. */

export interface Me {
  planner: boolean;
  /** What the roles permit somewhere: see, report, dispatch, analyse, plan, edit, publish, history, admin. */
  permissions: readonly string[];
  name: string;
  /** Editing is open to this machine, without keys. */
  open: boolean;
  keys: boolean;
  with_key: boolean;
}

/** A role, in an area and everything inside it; everywhere when the area is empty. */
export interface Grant {
  role: string;
  area: string;
}

/** Who the service takes this browser for. */
export interface Session {
  signed_in: boolean;
  kind: 'nobody' | 'machine' | 'person' | 'token' | 'key';
  key: string;
  name: string;
  grants: Grant[];
  csrf: string;
  /** Has a password here, which can be changed. */
  password: boolean;
  /** The way to the city's identity provider, where there is one. */
  provider: string | null;
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
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
let csrf = '';

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

export const hasKey = (): boolean => key !== '';

/** The token of the session, sent with every change; empty when nobody is signed in by cookie. */
export const csrfToken = (): string => csrf;

export function setCsrf(value: string): void {
  csrf = value;
}

/** Headers that say who asks. */
export function signature(method = 'GET'): Record<string, string> {
  return {
    ...(csrf && !SAFE.has(method) ? { 'X-CSRF-Token': csrf } : {}),
    ...(author ? { 'X-Gisgrid-Author': encodeURIComponent(author) } : {}),
    ...(key ? { Authorization: `Bearer ${key}` } : {}),
  };
}
