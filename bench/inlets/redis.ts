import { connect } from 'node:net';
import type { Inlet } from './inlet.ts';
import { Unanswered } from './unanswered.ts';

/** As Superset caps its streams. */
const FIREHOSE_LENGTH = '1000000';
const CHANNEL_LENGTH = '1000';

const command = (...args: readonly string[]): string =>
  `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join('')}`;

/** Streams of Redis, in pipelined commands without a library: that would cost more than the server that is measured. */
export async function redisInlet(url: URL, prefix: string): Promise<Inlet> {
  const { hostname, port, username, password } = url;
  const unanswered = new Unanswered();
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
    send({ channelName, data, both }) {
      if (socket.writableCorked === 0) socket.cork();
      if (both) ask('XADD', `${prefix}${channelName}`, 'MAXLEN', '~', CHANNEL_LENGTH, '*', 'data', data);
      ask('XADD', `${prefix}full`, 'MAXLEN', '~', FIREHOSE_LENGTH, '*', 'data', data);
    },
    flush: () => socket.uncork(),
    answered: () => unanswered.none(),
    async forget(group, channels) {
      ask('UNLINK', `${prefix}full`);
      for (let at = 0; at < channels; at += 1) ask('UNLINK', `${prefix}${group}${at}`);
      await unanswered.none();
    },
  };
}
