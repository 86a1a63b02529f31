/** Who is signed in, as the pages know it: read, begun, ended. */

import { address, getJson, sendJson, ServiceError } from '../core/client';
import { createStore } from '../core/store';
import { hasKey, type Me, type Session, setCsrf, setKey } from '../core/who';

const NOBODY: Me = {
  planner: false,
  permissions: [],
  name: '',
  open: false,
  keys: false,
  with_key: false,
};
const NO_SESSION: Session = {
  signed_in: false,
  kind: 'nobody',
  key: '',
  name: '',
  grants: [],
  csrf: '',
  password: false,
  provider: null,
};

/** What the service lets this reader do, and who they are; pages listen to `me`. */
export const session = createStore<{ me: Me; who: Session }>({ me: NOBODY, who: NO_SESSION });

/** Whether the reader may do something somewhere; where, the service says. */
export const may = (permission: string): boolean => session.get().me.permissions.includes(permission);

export const isAdmin = (): boolean => session.get().who.grants.some(({ role }) => role === 'admin');

/** Read who asks; the session first, as its answer has the browser forget a cookie that has ended. */
export async function readMe(): Promise<Me> {
  let who: Session;
  try {
    who = await getJson<Session>(address('session'));
  } catch (error) {
    if (!(error instanceof ServiceError && error.status === 401 && hasKey())) throw error;
    setKey(''); // a token that was revoked or has ended
    who = await getJson<Session>(address('session'));
  }
  setCsrf(who.csrf);
  const me = await getJson<Me>(address('me'));
  session.set({ me, who });
  return me;
}

/** Sign in. Throws ServiceError: 401 for a wrong login or password, 429 after too many. */
export async function signIn(login: string, password: string): Promise<Me> {
  setKey(''); // a token of before would say who asks instead
  const who = await sendJson<Session>('POST', address('session'), { login, password });
  setCsrf(who.csrf);
  return readMe();
}

/** Work with a system's token or an operator's key in this tab. Whether the service knows it. */
export async function useToken(token: string): Promise<boolean> {
  setKey(token);
  await readMe();
  return hasKey() && token.trim() !== '';
}

export async function signOut(): Promise<void> {
  if (session.get().who.kind === 'person') await sendJson<null>('DELETE', address('session'));
  setKey('');
  await readMe();
}

export async function changePassword(before: string, after: string): Promise<void> {
  const who = await sendJson<Session>('PUT', address('session/password'), { old: before, new: after });
  setCsrf(who.csrf);
  await readMe();
}
