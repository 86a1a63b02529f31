/** A small observable state: one plain object, patched whole keys at a time. */
export interface Store<S extends object> {
  get(): Readonly<S>;
  /** Replace the given keys; listeners of a key run only when its value is another one. */
  set(patch: Partial<S>): void;
  /** Run `listener` after any of `keys` changed. Returns the function that takes the listener off. */
  on(keys: readonly (keyof S)[], listener: (state: Readonly<S>) => void): () => void;
}

export function createStore<S extends object>(initial: S): Store<S> {
  let state: S = { ...initial };
  const listeners = new Set<{ keys: readonly (keyof S)[]; run: (state: Readonly<S>) => void }>();
  return {
    get: () => state,
    set(patch) {
      const before = state;
      state = { ...state, ...patch };
      const changed = new Set(
        (Object.keys(patch) as (keyof S)[]).filter((key) => before[key] !== state[key]),
      );
      for (const listener of [...listeners]) {
        if (listener.keys.some((key) => changed.has(key))) listener.run(state);
      }
    },
    on(keys, run) {
      const entry = { keys, run };
      listeners.add(entry);
      return () => listeners.delete(entry);
    },
  };
}
