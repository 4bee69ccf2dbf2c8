import { connect } from 'node:net';
import { createNativeKeys } from '../../src/broker/redis/keys.ts';
import { NATIVE_PUBLISH_SCRIPT } from '../../src/broker/redis/native-publish-script.ts';
import type { Inlet } from './inlet.ts';
import { Unanswered } from './unanswered.ts';

/** As Superset caps its streams. */
const FIREHOSE_LENGTH = '1000000';
const CHANNEL_LENGTH = '1000';

/** As Signalbox keeps what is published by it. */
const HISTORY_SECONDS = '86400';
const KEY_SECONDS = '120';

/** Where the servers have native channels. */
export const nativePrefixOf = (prefix: string): string => `${prefix}own:`;

const command = (...args: readonly string[]): string =>
  `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join('')}`;

/** Streams of Redis, in pipelined commands without a library: that would cost more than the server that is measured. */
export async function redisInlet(url: URL, prefix: string): Promise<Inlet> {
  const { hostname, port, username, password } = url;
  const unanswered = new Unanswered();
  const keys = createNativeKeys({
    streamPrefix: prefix,
    nativePrefix: nativePrefixOf(prefix),
    isCluster: false,
  });
  const socket = connect(Number(port || 6379), hostname);
  socket.setEncoding('latin1');
  // Every answer here is one line, or a length and one line without a `$`, a `+`, a `:` or a `-` at its start.
  socket.on('data', (text: string) => {
    if (text.startsWith('-')) unanswered.refused(text);
    unanswered.answered(text.match(/[$+:]/g)?.length ?? 0);
  });
  socket.on('error', ({ message }) => unanswered.refused(message));
  const ask = (...args: readonly string[]): void => {
    unanswered.asked();
    socket.write(command(...args));
  };
  if (password !== '') ask('AUTH', ...(username === '' ? [] : [username]), password);
  ask('PING');
  await unanswered.none();
  return {
    get unanswered() {
      return unanswered.count;
    },
    send({ channelName, data, both, isNative }) {
      if (socket.writableCorked === 0) socket.cork();
      if (isNative) {
        const own = [
          keys.firehose,
          keys.channel(channelName),
          keys.key(channelName),
          keys.snapshot(channelName),
        ];
        const kept = [FIREHOSE_LENGTH, CHANNEL_LENGTH, HISTORY_SECONDS, KEY_SECONDS];
        ask('EVAL', NATIVE_PUBLISH_SCRIPT, String(own.length), ...own, ...kept, channelName, 't', data, '');
        return;
      }
      if (both) ask('XADD', `${prefix}${channelName}`, 'MAXLEN', '~', CHANNEL_LENGTH, '*', 'data', data);
      ask('XADD', `${prefix}full`, 'MAXLEN', '~', FIREHOSE_LENGTH, '*', 'data', data);
    },
    flush: () => socket.uncork(),
    answered: () => unanswered.none(),
    async forget(group, channels) {
      ask('UNLINK', `${prefix}full`, keys.firehose);
      for (let at = 0; at < channels; at += 1)
        ask('UNLINK', `${prefix}${group}${at}`, keys.channel(`${group}${at}`));
      await unanswered.none();
    },
  };
}
