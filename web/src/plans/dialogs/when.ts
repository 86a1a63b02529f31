/** Times of day as forms write them: in this browser's time zone, to the minute. Pure. */

const two = (value: number): string => String(value).padStart(2, '0');

/** What `<input type=datetime-local>` takes: "2026-03-05T08:00". */
export const localInput = (when: Date): string =>
  `${when.getFullYear()}-${two(when.getMonth() + 1)}-${two(when.getDate())}T${two(when.getHours())}:${two(when.getMinutes())}`;

/** The moment a form's text means; null for none, and for days that are not in the calendar. */
export function instantOf(text: string): Date | null {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$/.test(text)) return null;
  const when = new Date(text);
  return Number.isNaN(when.getTime()) || localInput(when) !== text.slice(0, 16) ? null : when;
}
