/** People and tokens, as the service keeps them. */

import { address, getJson, sendJson } from '../core/client';
import type { AreaName, Overview } from '../core/types';
import type { Grant } from '../core/who';

export interface Person {
  id: number;
  login: string;
  name: string;
  disabled: boolean;
  password: boolean;
  provider: boolean;
  grants: Grant[];
  /** Whether the reader may change everything of them, not only their roles in the reader's areas. */
  managed: boolean;
}

export interface Token {
  id: number;
  name: string;
  hint: string;
  state: 'active' | 'expired' | 'revoked';
  created_at: string;
  expires_at: string | null;
  used_at: string | null;
  grants: Grant[];
  managed: boolean;
}

export interface NewPerson {
  login: string;
  name: string;
  password?: string;
  grants: Grant[];
}

export type PersonChange = Partial<Pick<Person, 'name' | 'disabled' | 'grants'>> & { password?: string };

export interface NewToken {
  name: string;
  grants: Grant[];
  days?: number;
  never?: true;
}

export const peopleService = {
  people: async (): Promise<Person[]> => (await getJson<{ users: Person[] }>(address('users'))).users,
  addPerson: (made: NewPerson) => sendJson<Person>('POST', address('users'), made),
  changePerson: (id: number, change: PersonChange) =>
    sendJson<Person>('PATCH', address(`users/${id}`), change),
  removePerson: (id: number) => sendJson<null>('DELETE', address(`users/${id}`)),
  tokens: async (): Promise<Token[]> => (await getJson<{ tokens: Token[] }>(address('tokens'))).tokens,
  addToken: (made: NewToken) => sendJson<Token & { secret: string }>('POST', address('tokens'), made),
  revokeToken: (id: number) => sendJson<null>('DELETE', address(`tokens/${id}`)),
  areas: async (): Promise<AreaName[]> => (await getJson<Overview>(address('overview'))).areas,
};
