import { describe, expect, it } from 'vitest';
import { type Change, changedFields, short } from './words';

const change = (before: Change['before'], after: Change['after']): Change => ({
  id: 1,
  area: '',
  label: '',
  before,
  after,
});

describe('a change in words', () => {
  it('names what changed, the shape last, and leaves out what follows from it', () => {
    const given = { name: 'a', geometry: {}, version: 1, households: 3 };
    expect(changedFields(change(given, given))).toEqual(['households', 'name', 'geometry']);
  });
  it('names no fields of rows that came or went', () => {
    expect(changedFields(change(null, { name: 'a' }))).toEqual([]);
    expect(changedFields(change({ name: 'a' }, null))).toEqual([]);
  });
  it('keeps values short', () => {
    expect(short('', '–')).toBe('–');
    expect(short(0, '–')).toBe('0');
    expect(short(false, '–')).toBe('false');
    expect(short('x'.repeat(99), '–')).toHaveLength(60);
  });
});
