import { type HoldReading, type KeepAlive, lastEventIdOf } from './channel-header.ts';
import { type HeaderItem, headerItem, headerItems } from './header-list.ts';
import { headerText } from './header-text.ts';
import { type RawHeaders, valuesOf } from './raw-headers.ts';

const DEFAULT_KEEP_ALIVE_S = 55;
const MAX_KEEP_ALIVE_S = 86_400;
const ESCAPED: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '0': '\0',
  '\\': '\\',
  '"': '"',
};

/** Whether a header is between a GRIP proxy and its application. */
export function isGripHeader(lowerCaseName: string): boolean {
  return lowerCaseName.startsWith('grip-');
}

/**
 * Reads GRIP's headers of HTTP streaming. What would be served wrongly is a fault: `response` is another kind of
 * answer, and a filter keeps messages from somebody.
 */
export function readGrip(raw: RawHeaders): HoldReading {
  const mode = valuesOf(raw, 'grip-hold').at(-1);
  if (mode === undefined) return undefined;
  const { value } = headerItem(mode.toLowerCase());
  if (value !== 'stream') return { fault: 'Grip-Hold: only stream is served' };
  const items = headerItems(valuesOf(raw, 'grip-channel').map(headerText));
  if (items.length === 0) return { fault: 'Grip-Hold without Grip-Channel' };
  if (items.some(({ parameters }) => parameters.has('filter'))) {
    return { fault: 'Grip-Channel: filters are not served' };
  }
  const position = lastEventIdOf(raw).lastEventId ?? previousId(items);
  if (position === null)
    return { fault: 'Grip-Channel: a stream has one position, and prev-id names several' };
  const keepAlive = readKeepAlive(valuesOf(raw, 'grip-keep-alive').at(-1));
  if (keepAlive === null) return { fault: 'Grip-Keep-Alive cannot be read' };
  return {
    hold: {
      channels: [...new Set(items.map((item) => item.value))],
      ...(position !== undefined && { lastEventId: position }),
      ...(keepAlive !== undefined && { keepAlive }),
    },
  };
}

/** What prev-id says; null when it says several things. */
function previousId(items: readonly HeaderItem[]): string | undefined | null {
  const ids = new Set(
    items.map(({ parameters }) => parameters.get('prev-id') ?? '').filter((id) => id !== ''),
  );
  return ids.size > 1 ? null : [...ids][0];
}

/** Null when it cannot be read. */
function readKeepAlive(text: string | undefined): KeepAlive | undefined | null {
  if (text === undefined) return undefined;
  const { value, parameters } = headerItem(text);
  const seconds = Number(parameters.get('timeout') ?? DEFAULT_KEEP_ALIVE_S);
  const content = decode(value, parameters.get('format') ?? 'raw');
  const isTime = Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_KEEP_ALIVE_S;
  return content === undefined || content.length === 0 || !isTime
    ? null
    : { content, afterMs: seconds * 1000 };
}

function decode(text: string, format: string): Buffer | undefined {
  if (format === 'raw') return Buffer.from(text, 'latin1');
  if (format === 'base64') return Buffer.from(text, 'base64');
  if (format !== 'cstring') return undefined;
  // Every backslash with what follows it; one that stands for nothing is not guessed at.
  const parts = text.match(/\\.?|[^\\]+/gs) ?? [];
  const plain = parts.map((part) => (part.startsWith('\\') ? ESCAPED[part.slice(1)] : part));
  return plain.includes(undefined) ? undefined : Buffer.from(plain.join(''), 'latin1');
}
