import { describe, expect, it } from 'vitest';
import { texts } from '../i18n/texts';
import source from '../../../planning/partition/reasons.py?raw';
import { reasonText } from './reasons';

const AREAS = new Map([
  [
    '379903001001',
    { code: '379903001001', name: '鸣凤社区', name_en: 'Mingfeng', level: 'community' as const },
  ],
]);

describe('reasons of a plan', () => {
  it('has words for every code the engine gives, with the same figures in both languages', () => {
    const codes = /CODES: Final = \(([^)]*)\)/.exec(source)?.[1]?.match(/[a-z_]+/g) ?? [];
    expect(codes.length).toBeGreaterThan(8);
    for (const code of [...codes, 'stopped', 'grid_without_units']) {
      const key = `plans.reason.${code}` as keyof typeof texts.zh;
      const marks = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
      expect(marks(texts.en[key])).toEqual(marks(texts.zh[key]));
    }
  });

  it('says the place, the figures and the first units', () => {
    const said = reasonText(
      {
        code: 'total_fits_no_count',
        text: 'English',
        community: '379903001001',
        units: ['1', '2', '3', '4'],
        figures: { households: 1550, few: 3, many: 4 },
      },
      AREAS,
    );
    expect(said).toContain('鸣凤社区：1,550 户');
    expect(said).toContain('单元 1, 2, 3等 4 个');
  });

  it('falls back to the words of the service', () => {
    expect(reasonText({ code: 'of_tomorrow', text: 'Says so itself.' }, AREAS)).toBe('Says so itself.');
    expect(reasonText({ code: 'locked_outside', text: 'grid 7 is locked' }, AREAS)).toBe('grid 7 is locked');
  });
});
