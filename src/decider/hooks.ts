import { hookKey } from '../config/hook-key.ts';
import type { HookName } from '../config/schema/hooks.ts';
import type { Config } from '../config/schema.ts';
import type { Decider } from './decider.ts';
import { Hook, type HookDeps } from './hook.ts';
import { readAsk, readSnapshot, readVerdict } from './hook-answer.ts';
import { Notices } from './hook-notices.ts';

export interface HooksDeps extends Omit<HookDeps, 'name' | 'url' | 'keys' | 'timeoutMs'> {
  readonly config: Config['hooks'];
  readonly random: () => number;
}

/** The application as HTTP hooks, each of its own; what has no URL nobody decides. Nothing is sent before it is asked. */
export function createHooks(deps: HooksDeps): Decider {
  const { config } = deps;
  const { timeoutMs } = config;
  const keys = [config.secret, config.previousSecret].flatMap((secret) => hookKey(secret) ?? []);
  const hooks: Hook[] = [];
  const notices: Notices[] = [];
  const hookOf = (name: HookName): Hook | undefined => {
    if (config[name] === '') return undefined;
    const hook = new Hook({ ...deps, name, url: config[name], keys, timeoutMs });
    hooks.push(hook);
    return hook;
  };
  const noticesOf = (name: HookName): Notices | undefined => {
    const hook = hookOf(name);
    if (hook === undefined) return undefined;
    const told = new Notices({ ...deps, name, hook });
    notices.push(told);
    return told;
  };
  const connect = hookOf('connect');
  const subscribe = hookOf('subscribe');
  const ask = hookOf('ask');
  const tell = hookOf('tell');
  const snapshot = hookOf('snapshot');
  const disconnect = noticesOf('disconnect');
  const unsubscribe = noticesOf('unsubscribe');
  return {
    connect:
      connect &&
      ((peer, request, signal) => connect.ask(peer, { request }, readVerdict('connect'), { signal })),
    subscribe:
      subscribe &&
      ((peer, wish, signal) => subscribe.ask(peer, { ...wish }, readVerdict('subscribe'), { signal })),
    ask: ask && ((peer, saying, signal) => ask.ask(peer, { ...saying }, readAsk, { signal })),
    tell: tell && ((peer, saying, signal) => tell.ask(peer, { ...saying }, readVerdict('tell'), { signal })),
    snapshot: snapshot && ((peer, wish, signal) => snapshot.ask(peer, { ...wish }, readSnapshot, { signal })),
    disconnected: (peer, reason) => disconnect?.tell(peer, { reason }),
    unsubscribed: (peer, channel) => unsubscribe?.tell(peer, { channel }),
    async close() {
      await Promise.all(notices.map((told) => told.close()));
      await Promise.all(hooks.map((hook) => hook.close()));
    },
  };
}
