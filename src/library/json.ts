import type { RawJson } from '../protocol/native/client-frame.ts';
import { SignalboxError } from './error.ts';

/** The JSON text of what a program gives; nothing is `null`. Throws `bad_request` for what JSON cannot say. */
export function toJson(value: unknown): RawJson {
  if (typeof value === 'function' || typeof value === 'symbol') {
    // JSON.stringify has nothing for it, and whoever forgot to call it would publish null.
    throw new SignalboxError('bad_request', `This cannot be written as JSON: it is a ${typeof value}`);
  }
  try {
    return (JSON.stringify(value) ?? 'null') as RawJson;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SignalboxError('bad_request', `This cannot be written as JSON: ${reason}`, { cause: error });
  }
}

export const fromJson = (text: RawJson | undefined): unknown =>
  text === undefined ? undefined : JSON.parse(text);
