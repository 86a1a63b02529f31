import { describe, expect, it } from 'vitest';
import { type Condition, filterText, operatorsOf } from './conditions';

const field = (name: string, type: string): Condition['attribute'] => ({
  name,
  type,
  title_zh: '',
  title_en: '',
  unit: '',
});

describe('conditions of the table', () => {
  it('become CQL2 with quotes and wildcards that mean themselves', () => {
    const conditions: Condition[] = [
      { attribute: field('name', 'string'), operator: 'has', value: "O'Neil 5%_" },
      { attribute: field('households', 'integer'), operator: 'ge', value: ' 300 ' },
      { attribute: field('open', 'boolean'), operator: 'eq', value: 'true' },
    ];
    expect(filterText(conditions)).toBe(
      "name LIKE '%O''Neil 5\\%\\_%' AND households >= 300 AND open = TRUE",
    );
  });

  it('leave out values that are none, and know what is empty', () => {
    expect(filterText([{ attribute: field('n', 'integer'), operator: 'eq', value: 'x' }])).toBe('');
    expect(filterText([{ attribute: field('n', 'integer'), operator: 'empty', value: '' }])).toBe(
      'n IS NULL',
    );
    expect(filterText([{ attribute: field('s', 'string'), operator: 'empty', value: '' }])).toBe(
      "(s IS NULL OR s = '')",
    );
    expect(filterText([{ attribute: field('d', 'date'), operator: 'le', value: '2025-02-03' }])).toBe(
      "d <= DATE('2025-02-03')",
    );
    expect(filterText([{ attribute: field('d', 'date'), operator: 'le', value: '3.2.25' }])).toBe('');
  });

  it('hold a day of a time whole', () => {
    const at = field('reported_at', 'date-time');
    const first = filterText([{ attribute: at, operator: 'ge', value: '2025-02-03' }]);
    const last = filterText([{ attribute: at, operator: 'le', value: '2025-02-03' }]);
    const moment = (text: string): number => Date.parse(/'(.*)'/.exec(text)?.[1] ?? '');
    expect(moment(last) - moment(first)).toBe(86_399_999);
    expect(operatorsOf(at)).not.toContain('has');
  });
});
