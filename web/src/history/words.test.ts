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
    expect(short('')).toBe('空');
    expect(short(0)).toBe('0');
    expect(short(0.123456)).toBe('0.123');
    expect(short('x'.repeat(99))).toHaveLength(60);
  });
  it('writes values in words', () => {
    expect(short(false)).toBe('否');
    expect(short('draft')).toBe('草稿');
    expect(short('planner')).toBe('规划员');
    expect(short('指挥派遣')).toBe('指挥派遣');
    expect(short('[2,)')).toBe('第 2 代起');
    expect(short('[1,4)')).toBe('第 1–3 代');
    expect(short('[3,4)')).toBe('第 3 代');
    expect(short('2026-11-23T06:30:23.4+00:00')).toMatch(/^2026\/11\/2[34] \d\d:30:23$/);
    expect(short('2026 年的意见')).toBe('2026 年的意见');
    expect(short({ low: 300 })).toBe('{"low":300}');
  });
});
