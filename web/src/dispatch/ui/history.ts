/** What happened to a report, the newest first: updates and reassignments in one line of time. */

import type { App } from '../../core/app';
import { h } from '../../core/dom';
import { t } from '../../i18n';
import type { NamedGrid, Opened, Reassignment, Update } from '../types';
import { gridName, stageName, when, word } from '../words';

interface Entry {
  at: string;
  kind: 'update' | 'move' | 'publish' | 'first';
  title: string;
  text: string;
  by: string;
}

const nameOf = (app: App, grid: NamedGrid): string =>
  grid.system ? `${word(grid.system)} ${grid.name}` : gridName(app, grid.code, grid.name);

/** A reassignment is an update as well, made at the same time for the same grid: it is told once. */
const isTold = (update: Update, audit: readonly Reassignment[]): boolean =>
  update.moved !== null && audit.some((row) => row.at === update.at && row.to.code === update.moved?.grid);

export function entriesOf(app: App, { report, audit }: Opened): Entry[] {
  const updates = report.properties.updates
    .filter((update) => !isTold(update, audit))
    .map((update): Entry => {
      const to = update.moved?.grid;
      const moved = to ? t('dispatch.movedTo', { grid: gridName(app, to, null) }) : t('dispatch.outside');
      return {
        at: update.at,
        kind: update.moved ? 'publish' : 'update',
        title: update.moved ? moved : stageName(update.stage),
        text: update.note,
        by: update.channel,
      };
    });
  const moves = audit.map((row): Entry => ({
    at: row.at,
    kind: 'move',
    title: t('dispatch.movedFromTo', {
      from: row.from ? nameOf(app, row.from) : t('dispatch.noGrid'),
      to: nameOf(app, row.to),
    }),
    text: row.reason,
    by: row.author || t('frame.anonymous'),
  }));
  const { reported_at, channel } = report.properties;
  const first: Entry = {
    at: reported_at,
    kind: 'first',
    title: t('dispatch.reported'),
    text: '',
    by: channel,
  };
  return [first, ...updates, ...moves].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
}

export function historyList(app: App, opened: Opened): HTMLElement {
  return h(
    'section',
    { class: 'history' },
    h('h3', { text: t('dispatch.history') }),
    h(
      'ol',
      {},
      ...entriesOf(app, opened).map((entry) =>
        h(
          'li',
          { class: `history-${entry.kind}` },
          h(
            'div',
            { class: 'history-head' },
            h('strong', { text: entry.title }),
            h('time', { datetime: entry.at, text: when(entry.at) }),
          ),
          entry.text && h('p', { text: entry.text }),
          entry.by && h('p', { class: 'muted', text: entry.by }),
        ),
      ),
    ),
  );
}
