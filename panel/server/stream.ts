import { ask } from './request.ts';

/** `cut`: nothing comes; it is tried again by itself. */
export type Line = 'connecting' | 'live' | 'cut';

export interface StreamEars<Message> {
  onMessage(message: Message): void;
  onLine(line: Line): void;
  /** Without a message for this long the line counts as cut; left out: silence means nothing. */
  readonly quietMs?: number;
}

const RETRY_MS = 1000;
const RETRY_MAX_MS = 15_000;

/**
 * Hears a stream of the server until it is told to stop. The browser's own EventSource gives up for ever on an answer
 * that is no stream, and does not say why: then it is asked with a request, so that a missing token shows the login.
 */
export function openStream<Message>(path: string, ears: StreamEars<Message>): () => void {
  let source: EventSource | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;

  function hear(): void {
    clearTimeout(silence);
    failures = 0;
    ears.onLine('live');
    if (ears.quietMs !== undefined) silence = setTimeout(again, ears.quietMs);
  }

  function hangUp(): void {
    clearTimeout(silence);
    clearTimeout(retry);
    source?.close();
    source = undefined;
  }

  function again(): void {
    hangUp();
    ears.onLine('cut');
    const delay = Math.min(RETRY_MS * 2 ** failures, RETRY_MAX_MS) * (0.75 + Math.random() / 2);
    failures += 1;
    retry = setTimeout(connect, delay);
  }

  function connect(): void {
    const opening = new EventSource(path);
    source = opening;
    if (ears.quietMs !== undefined) silence = setTimeout(again, ears.quietMs * 2);
    opening.addEventListener('open', hear);
    opening.addEventListener('message', ({ data }: MessageEvent<string>) => {
      hear();
      ears.onMessage(JSON.parse(data) as Message);
    });
    opening.addEventListener('error', () => {
      if (source !== opening) return;
      again();
      // Whether there is a session at all: `ask` shows the login when there is none.
      ask('/inspect/api/overview').catch(() => undefined);
    });
  }

  ears.onLine('connecting');
  connect();
  return hangUp;
}
