import { describe, expect, it } from 'vitest';
import { type Place, readPlace, writePlace } from './permalink';

const VIEW: Place = {
  zoom: 15.25,
  lat: 35.5,
  lon: 112.84,
  category: null,
  profile: 'adult',
  at: null,
  building: null,
};

describe('the address of a view', () => {
  it.each<[string, Partial<Place>]>([
    ['#15.25/35.50000/112.84000', {}],
    ['#15.25/35.50000/112.84000/clinic', { category: 'clinic' }],
    ['#15.25/35.50000/112.84000?profile=frail', { profile: 'frail' }],
    [
      '#15.25/35.50000/112.84000/clinic?profile=car&at=112.841200,35.501300&building=17',
      { category: 'clinic', profile: 'car', at: [112.8412, 35.5013], building: 17 },
    ],
  ])('is written and read as %s', (text, part) => {
    expect(writePlace({ ...VIEW, ...part })).toBe(text);
    expect(readPlace(text)).toEqual({ ...VIEW, ...part });
  });

  it('leaves out what makes no sense', () => {
    expect(readPlace('#15/95/112')).toBeNull();
    for (const wrong of ['', '#map', '#14/35', '#x/35/116']) expect(readPlace(wrong)).toBeNull();
    expect(readPlace('#15/35/112?profile=horse&at=400,1&building=3')).toEqual({
      ...VIEW,
      zoom: 15,
      lat: 35,
      lon: 112,
    });
  });
});
