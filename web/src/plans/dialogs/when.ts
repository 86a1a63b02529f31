/** Times of day as forms write them, to the minute, in the service's time zone. Pure. */

/** A zone by its name and its minutes east of UTC. */
export interface Zone {
  name: string;
  minutes: number;
}

const two = (value: number): string => String(Math.trunc(value)).padStart(2, '0');

/** This browser's own zone, where the service does not say which is its. */
export const ownZone = (): Zone => ({
  name: new Intl.DateTimeFormat().resolvedOptions().timeZone,
  minutes: -new Date().getTimezoneOffset(),
});

/** "UTC+08:00". */
export function offsetOf({ minutes }: Zone): string {
  const far = Math.abs(minutes);
  return `UTC${minutes < 0 ? '-' : '+'}${two(far / 60)}:${two(far % 60)}`;
}

/** "Asia/Shanghai (UTC+08:00)"; a zone that has no other name by its offset alone. */
export function zoneText(zone: Zone): string {
  const offset = offsetOf(zone);
  return zone.name && zone.name !== offset ? `${zone.name} (${offset})` : offset;
}

/** What `<input type=datetime-local>` takes: "2026-03-05T08:00", as clocks in the zone show it. */
export const localInput = (when: Date, { minutes }: Zone): string =>
  new Date(when.getTime() + minutes * 60_000).toISOString().slice(0, 16);

/** The moment a form's text means in the zone; null for none, and for days that are not in the calendar. */
export function instantOf(text: string, zone: Zone): Date | null {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$/.test(text)) return null;
  const when = new Date(Date.parse(`${text.slice(0, 16)}Z`) - zone.minutes * 60_000);
  return Number.isNaN(when.getTime()) || localInput(when, zone) !== text.slice(0, 16) ? null : when;
}

/** Midnight of the next day in the zone: when grids usually change. */
export function nextDay(now: Date, { minutes }: Zone): Date {
  const day = 86_400_000;
  const there = now.getTime() + minutes * 60_000;
  return new Date((Math.floor(there / day) + 1) * day - minutes * 60_000);
}
