import { session } from './session.ts';

/** An answer that is no success, or none at all (status 0), in words that can be shown. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface Question {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly body?: object;
  readonly signal?: AbortSignal;
}

/** What a refusal says of itself, as a problem of RFC 9457; else its status. */
async function wordsOf(response: Response): Promise<string> {
  const said: unknown = await response.json().catch(() => undefined);
  if (typeof said === 'object' && said !== null) {
    const { detail, title } = said as { readonly detail?: unknown; readonly title?: unknown };
    if (typeof detail === 'string') return detail;
    if (typeof title === 'string') return title;
  }
  return `The server answered ${response.status}.`;
}

/** Asks the server. Rejects with a `Refusal`, or with the `AbortError` of its signal. */
export async function ask<Answer>(path: string, question: Question = {}): Promise<Answer> {
  const { method = 'GET', body, signal } = question;
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      cache: 'no-store',
      headers: { accept: 'application/json', ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Refusal(0, 'The server cannot be reached.');
  }
  if (response.status === 401 && path !== '/inspect/login') session.set('refused');
  if (!response.ok) throw new Refusal(response.status, await wordsOf(response));
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as Answer;
}

export const isAbort = (error: unknown): boolean =>
  error instanceof DOMException && error.name === 'AbortError';
