/** The dispatch slip: what is copied to hand a report on, by phone, message or paper. */

import type { App } from '../core/app';
import { coordinate, percent } from '../core/format';
import { nameOf, t } from '../i18n';
import type { Place } from './state';
import type { Choice } from './choices';
import type { Report } from './types';
import { borderWords, gridName, levelName, metresOf, postName, stageName, word } from './words';

const line = (label: string, text: string): string => (text ? `${label}：${text}` : '');

/** The slip as lines of text; empty parts are left out. */
export function slipOf(app: App, place: Place, choices: readonly Choice[], report: Report | null): string {
  const { answer } = place;
  if (!answer) return '';
  const about = report?.properties;
  const given = about?.grid_code ? gridName(app, about.grid_code, about.located.grid_name ?? null) : '';
  const owner = answer.owner ? gridName(app, answer.owner.code, answer.owner.name) : t('dispatch.outside');
  const code = about?.grid_code ?? answer.owner?.code ?? '';
  const likely = choices.filter(({ probability, owns }) => !owns && probability !== null);
  const head = report
    ? `${t('dispatch.slip')} ${t('dispatch.report', { id: report.id })}`
    : t('dispatch.slip');
  return [
    `【${head}】`,
    about ? line(t('dispatch.class'), `${word(about.major)} / ${about.minor}`) : '',
    about ? line(t('dispatch.description'), about.description) : '',
    about ? line(t('dispatch.stages'), stageName(about.stage)) : '',
    line(t('dispatch.grid'), `${given || owner} ${code}`.trim()),
    line(
      t('dispatch.chain'),
      answer.chain.map((link) => `${levelName(link.level)} ${nameOf(link) || link.code}`).join(' → '),
    ),
    about?.agency ? line(t('dispatch.agency'), about.agency) : '',
    line(t('dispatch.posts'), answer.posts.map((post) => postName(app, post)).join('、')),
    line(t('dispatch.address'), about?.address || answer.address?.full || ''),
    line(
      t('dispatch.position'),
      `${coordinate(answer.point.lon, answer.point.lat)} (CGCS2000)` +
        (answer.accuracy === null ? '' : ` ±${metresOf(answer.accuracy)} m`),
    ),
    line(t('dispatch.shifted'), borderWords(answer, choices).join(' ')),
    line(
      t('dispatch.choices'),
      likely.map(({ name, probability }) => `${name} ${percent(probability ?? 0)}`).join('、'),
    ),
    line(
      t('dispatch.professional'),
      Object.entries(answer.professional)
        .flatMap(([system, grid]) => (grid ? [`${word(system)} ${grid.name} ${grid.code}`] : []))
        .join('、'),
    ),
  ]
    .filter((text) => text !== '')
    .join('\n');
}
