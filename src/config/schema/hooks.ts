import { z } from 'zod';
import { hookKey } from '../hook-key.ts';
import { key, positive } from './key.ts';

/** What an application can be asked or told by HTTP, in the order in which it is documented. */
export const HOOK_NAMES = [
  'connect',
  'disconnect',
  'subscribe',
  'unsubscribe',
  'ask',
  'tell',
  'snapshot',
] as const;

export type HookName = (typeof HOOK_NAMES)[number];

/** A key is printed, so a URL with a password in it is none; a fragment would not be sent. */
const isHookUrl = (text: string): boolean => {
  if (text === '') return true;
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, hash } = new URL(text);
  return (protocol === 'http:' || protocol === 'https:') && username + password + hash === '';
};

const isHookSecret = (text: string): boolean => text === '' || hookKey(text) !== undefined;

const url = (name: HookName, description: string) =>
  key(z.string().refine(isHookUrl).default(''), {
    env: `SIGNALBOX_HOOKS_${name.toUpperCase()}`,
    expected: 'a URL that starts with http:// or https://, without a user, a password or a fragment',
    description,
  });

const secret = (env: string, description: string) =>
  key(z.string().refine(isHookSecret).default(''), {
    env,
    secret: true,
    expected: 'at least 24 characters, or whsec_ and the base64 of 24 to 64 bytes',
    description,
  });

/** The application of native clients, as HTTP requests. */
export const hookKeys = {
  hooks: z
    .strictObject({
      connect: url('connect', 'Is asked whether a client may connect. Empty: whoever has a good token.'),
      disconnect: url('disconnect', 'Is told that a client has gone, and why. Empty: nobody is.'),
      subscribe: url(
        'subscribe',
        'Is asked whether a client may have a channel, in the place of what its token allows. Empty: the token says.',
      ),
      unsubscribe: url('unsubscribe', 'Is told that a subscription has ended. Empty: nobody is.'),
      ask: url('ask', 'Answers what clients ask. Empty: nobody does.'),
      tell: url('tell', 'Takes what clients tell. Empty: nobody does.'),
      snapshot: url(
        'snapshot',
        "Makes the snapshots of channels. Empty: a channel's snapshot is the one that was published last.",
      ),
      secret: secret(
        'SIGNALBOX_HOOKS_SECRET',
        'What requests to hooks are signed with, as Standard Webhooks are: at least 24 characters, or whsec_ and base64. Required with any hook.',
      ),
      previousSecret: secret(
        'SIGNALBOX_HOOKS_PREVIOUS_SECRET',
        'The secret before a rotation: requests are signed with both. Empty: none.',
      ),
      timeoutMs: key(positive.default(2000), {
        env: 'SIGNALBOX_HOOKS_TIMEOUT_MS',
        unit: 'ms',
        description: 'How long the answer of a hook may take, the wait for its turn included.',
      }),
    })
    .prefault({}),
};
