/** The page of people and tokens, for administrators. */
import '../styles/index.css';
import './people.css';
import { h, renew } from '../core/dom';
import { onLang, t } from '../i18n';
import { exposePlans } from '../plans/handle';
import { createFrame } from '../ui/frame';
import { isAdmin, session } from '../ui/session';
import { report } from '../ui/toasts';
import { askWho } from '../ui/who';
import { setAreas } from './areas';
import { peopleService, type Person, type Token } from './service';
import { createTokens } from './tokens';
import { createUsers } from './users';

/** Codes of the areas the reader administers; `['']` for everywhere. */
function administered(): string[] {
  const areas = session
    .get()
    .who.grants.filter(({ role }) => role === 'admin')
    .map(({ area }) => area);
  return areas.includes('') ? [''] : areas;
}

async function start(root: HTMLElement): Promise<void> {
  const frame = await createFrame(root, 'people', 'people.title');
  let people: Person[] | null = null;
  let tokens: Token[] | null = null;

  const users = createUsers({ people: () => people, mine: administered, changed: read });
  const systems = createTokens({ tokens: () => tokens, mine: administered, changed: read });
  const page = h('div', { class: 'people-page' }, users.element, systems.element);
  const closed = h('div', { class: 'people-page' });

  function say(): void {
    if (isAdmin()) {
      users.show();
      systems.show();
      if (!page.isConnected) renew(frame.main, page);
      return;
    }
    renew(
      closed,
      h('p', { class: 'notice', text: t('people.onlyAdmins') }),
      h(
        'p',
        {},
        h('button', {
          type: 'button',
          id: 'people-sign-in',
          class: 'button',
          text: t('signIn.title'),
          hidden: session.get().who.signed_in,
          on: { click: () => void askWho() },
        }),
      ),
    );
    renew(frame.main, closed);
  }

  async function read(): Promise<void> {
    if (isAdmin()) {
      try {
        [people, tokens] = await Promise.all([peopleService.people(), peopleService.tokens()]);
      } catch (error) {
        report(error);
      }
    }
    say();
  }

  onLang(say);
  session.on(['who'], () => void open());
  exposePlans('people', () => ({ people: people?.length ?? null, tokens: tokens?.length ?? null }));

  async function open(): Promise<void> {
    if (isAdmin()) {
      try {
        setAreas(await peopleService.areas());
      } catch (error) {
        report(error); // roles are shown with the codes of their areas
      }
    }
    await read();
  }

  await open();
}

const root = document.getElementById('app');
if (root) void start(root);
