/** Somewhere to keep work over a reload: IndexedDB, or localStorage where that is closed (private windows). */

import type { Store } from './interface';

const NAME = 'gisgrid-workbench';
const TABLE = 'kept';

export async function openStore(): Promise<Store> {
  try {
    return indexed(await opened());
  } catch {
    return local();
  }
}

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the browser keeps nothing'));
    request.onblocked = () => reject(new Error('another tab holds an older store open'));
  });
}

function indexed(database: IDBDatabase): Store {
  const run = <T>(mode: IDBTransactionMode, ask: (table: IDBObjectStore) => IDBRequest<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const work = database.transaction(TABLE, mode);
      const request = ask(work.objectStore(TABLE));
      work.oncomplete = () => resolve(request.result);
      work.onerror = () => reject(work.error ?? new Error('not kept'));
      work.onabort = () => reject(work.error ?? new Error('not kept'));
    });
  return {
    get: (key) => run<unknown>('readonly', (table) => table.get(key) as IDBRequest<unknown>),
    set: async (key, value) => void (await run('readwrite', (table) => table.put(value, key))),
    remove: async (key) => void (await run('readwrite', (table) => table.delete(key))),
    keys: async (prefix) => {
      const all = await run('readonly', (table) => table.getAllKeys());
      return all.map(String).filter((key) => key.startsWith(prefix));
    },
  };
}

function local(): Store {
  const of = (key: string): string => `${NAME}:${key}`;
  return {
    get: async (key) => {
      const text = localStorage.getItem(of(key));
      return text === null ? undefined : (JSON.parse(text) as unknown);
    },
    set: async (key, value) => localStorage.setItem(of(key), JSON.stringify(value)),
    remove: async (key) => localStorage.removeItem(of(key)),
    keys: async (prefix) =>
      Array.from({ length: localStorage.length }, (_, at) => localStorage.key(at) ?? '')
        .filter((key) => key.startsWith(of(prefix)))
        .map((key) => key.slice(NAME.length + 1)),
  };
}

/** A store in memory: for pages that may keep nothing, and for tests. */
export function memoryStore(): Store {
  const held = new Map<string, unknown>();
  return {
    get: async (key) => structuredClone(held.get(key)),
    set: async (key, value) => void held.set(key, structuredClone(value)),
    remove: async (key) => void held.delete(key),
    keys: async (prefix) => [...held.keys()].filter((key) => key.startsWith(prefix)),
  };
}
