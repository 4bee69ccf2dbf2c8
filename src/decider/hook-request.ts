import type { HookName } from '../config/schema/hooks.ts';
import type { RawJson } from '../protocol/native/client-frame.ts';
import type { ConnectRequest, Peer } from './decider.ts';

/** What is asked or told, beside who it is about. */
export interface HookSubject {
  readonly request?: ConnectRequest;
  readonly channel?: string;
  readonly query?: RawJson | undefined;
  readonly topic?: string;
  readonly data?: RawJson | undefined;
  readonly reason?: string;
}

/** What the client wrote goes on as it wrote it: parsed and written again, large numbers would be others. */
const RAW: ReadonlySet<string> = new Set(['query', 'data']);

/** The body of a request to a hook. */
export function hookBody(hook: HookName, { socket, principal }: Peer, subject: HookSubject): Buffer {
  const { user, session, channels, publish, expiresAtMs } = principal;
  const head = {
    hook,
    socket,
    principal: { user, session, channels, publish, expiresAt: expiresAtMs },
  };
  const members = Object.entries(subject)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `,"${name}":${RAW.has(name) ? value : JSON.stringify(value)}`);
  return Buffer.from(`${JSON.stringify(head).slice(0, -1)}${members.join('')}}`);
}
