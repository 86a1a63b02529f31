/** Sentences of the dispatch page. */

import type { App } from '../core/app';
import { distance, number, percent } from '../core/format';
import { gridTitle, shortNameIn } from '../core/names';
import { lang, nameOf, t, tOr } from '../i18n';
import { told } from '../i18n/dispatch';
import type { Choice } from './choices';
import type { Located, Post, Stage } from './types';

export const word = (text: string): string => told(text, lang());
export const stageName = (stage: Stage): string => t(`dispatch.stage.${stage}`);

/** Metres to the border as they are said: to the decimetre where it matters. */
export const metresOf = (metres: number): string =>
  number(metres < 10 ? Math.round(metres * 10) / 10 : Math.round(metres));

/** The name of a grid: as the catalogue has it, else as the service told it. */
export const gridName = (app: App, code: string, name: string | null): string =>
  gridTitle(app.catalog, code, name || (app.catalog.gridByCode.get(code)?.name ?? null));

/** The short name of a grid, for where its community is told beside it. */
export function shortName(app: App, code: string, name: string | null): string {
  const grid = app.catalog.gridByCode.get(code);
  return grid ? shortNameIn(app.catalog, grid) : name || code;
}

/** The name of the community a grid of the catalogue belongs to. */
export function communityOf(app: App, code: string): string {
  const area = app.catalog.areaByCode.get(app.catalog.gridByCode.get(code)?.community ?? '');
  return area ? nameOf(area) : '';
}

/** The post as it is called, in English by the role and the place. */
export function postName(app: App, post: Post): string {
  if (lang() === 'zh' || !post.post.endsWith(post.role)) return post.post;
  const area = app.catalog.areaByCode.get(post.place)?.name_en;
  return `${area ?? gridName(app, post.place, null)} · ${word(post.role)}`;
}

/** Why the border matters here, in plain words; empty where it does not. */
export function borderWords(answer: Located, choices: readonly Choice[]): string[] {
  if (!answer.near_border || answer.distance_to_boundary === null) return [];
  const other = choices
    .filter((choice) => !choice.owns && choice.system === '' && choice.metres !== null)
    .sort((a, b) => (a.metres ?? 0) - (b.metres ?? 0))[0];
  // the way to a grid further off than the border does not lead over that border
  const across = other && (other.metres ?? 0) <= answer.distance_to_boundary + 1.5 ? other : null;
  const metres = metresOf(answer.distance_to_boundary);
  const first = across
    ? t('dispatch.border', {
        metres,
        other: [across.community, across.name].filter(Boolean).join(' '),
        direction: across.direction ? t(`dispatch.direction.${across.direction}`) : '',
      })
    : t('dispatch.borderOuter', { metres });
  const doubt =
    answer.accuracy !== null && answer.accuracy >= answer.distance_to_boundary
      ? t('dispatch.borderAccuracy', { accuracy: metresOf(answer.accuracy) })
      : t('dispatch.borderAsk');
  return [first, doubt];
}

/** What is told of a choice under its name. */
export function choiceNote(choice: Choice): string {
  const parts: string[] = [];
  if (choice.system) parts.push(word(choice.system));
  if (choice.community) parts.push(choice.community);
  if (choice.owns) parts.push(t('dispatch.owns'));
  else if (choice.metres !== null) {
    parts.push(
      choice.direction
        ? t('dispatch.away', {
            direction: t(`dispatch.direction.${choice.direction}`),
            distance: distance(Math.max(1, choice.metres)),
          })
        : distance(Math.max(1, choice.metres)),
    );
  }
  if (choice.probability !== null)
    parts.push(t('dispatch.probability', { share: percent(choice.probability) }));
  return parts.join(' · ');
}

export const levelName = (level: string): string =>
  tOr(`dispatch.level.${level}`, tOr(`level.${level}`, level));

/** How long ago, for what is recent; else the date and time. */
export function when(iso: string, now = Date.now()): string {
  const moment = new Date(iso);
  const minutes = Math.floor((now - moment.getTime()) / 60_000);
  if (minutes >= 0 && minutes < 1) return t('dispatch.now');
  if (minutes >= 0 && minutes < 60) return t('dispatch.minutes', { count: minutes });
  if (minutes >= 0 && minutes < 12 * 60) return t('dispatch.hours', { count: Math.floor(minutes / 60) });
  const style: Intl.DateTimeFormatOptions = {
    month: 'numeric',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  };
  const year = moment.getFullYear() === new Date(now).getFullYear() ? {} : { year: 'numeric' as const };
  return new Intl.DateTimeFormat(lang() === 'zh' ? 'zh-CN' : 'en-GB', {
    ...style,
    ...year,
    hour12: false,
  }).format(moment);
}
