/** How figures are written. English everywhere, as the rest of the panel is. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

/** What is written where nothing is known. */
export const NOTHING = '–';

export const count = (value: number): string => whole.format(value);

export function rate(perSecond: number | null | undefined): string {
  if (perSecond === null || perSecond === undefined) return NOTHING;
  return perSecond >= 100 ? whole.format(perSecond) : short.format(perSecond);
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return NOTHING;
  const power = value < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(value) / 10));
  return `${short.format(value / 1024 ** power)} ${UNITS[power]}`;
}

export const percent = (part: number | null | undefined): string =>
  part === null || part === undefined ? NOTHING : `${short.format(part * 100)} %`;

/** A length of time in the two units that matter: `850 ms`, `12.4 s`, `3 min 5 s`, `2 h 10 min`, `4 d 3 h`. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return NOTHING;
  if (ms < 0) return `−${duration(-ms)}`;
  if (ms < 10) return `${short.format(ms)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Math.floor(ms / 100) / 10} s`;
  const seconds = Math.floor(ms / 1000);
  const [minutes, hours, days] = [
    Math.floor(seconds / 60),
    Math.floor(seconds / 3600),
    Math.floor(seconds / 86_400),
  ];
  if (hours === 0) return `${minutes} min ${seconds % 60} s`;
  if (days === 0) return `${hours} h ${minutes % 60} min`;
  return `${days} d ${hours % 24} h`;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** The time of day here, to the millisecond. */
export function clockTime(atMs: number): string {
  const at = new Date(atMs);
  const ms = String(at.getMilliseconds()).padStart(3, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${ms}`;
}

/** Day and time here, for what may be long ago. */
export function dateTime(atMs: number): string {
  const at = new Date(atMs);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${clockTime(atMs)}`;
}

/** `1 socket`, `2 sockets`. */
export const counted = (value: number, noun: string): string =>
  `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
