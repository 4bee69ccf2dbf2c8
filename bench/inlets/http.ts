import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Inlet } from './inlet.ts';
import { Unanswered } from './unanswered.ts';

const CONNECTIONS = 4;
const STATUS = 'HTTP/1.1 ';
const ANSWER_START = /HTTP\/1\.1 (\d{3})/g;

const request = (host: string, channelName: string, data: string): string =>
  `POST /pub/${channelName} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${Buffer.byteLength(data)}\r\n\r\n${data}`;

/** Counts the answers in what comes on one connection; their bodies say nothing that is wanted. */
export function answerCounter(unanswered: Unanswered): (text: string) => void {
  let rest = '';
  return (text) => {
    const all = rest + text;
    let end = 0;
    let count = 0;
    for (const found of all.matchAll(ANSWER_START)) {
      end = found.index + found[0].length;
      count += 1;
      if (!found[1]?.startsWith('2')) unanswered.refused(all.slice(found.index, found.index + 80));
    }
    // The start of the next answer may be cut anywhere.
    rest = all.slice(Math.max(end, all.length - STATUS.length - 2));
    unanswered.answered(count);
  };
}

/** A POST for each event, pipelined over a few connections: a channel stays on its own, which keeps its order. */
export async function httpInlet({ hostname, port, host }: URL): Promise<Inlet> {
  const unanswered = new Unanswered();
  const sockets = Array.from({ length: CONNECTIONS }, () => {
    const socket = connect({ port: Number(port), host: hostname, noDelay: true });
    socket.setEncoding('latin1');
    socket.on('data', answerCounter(unanswered));
    socket.on('error', ({ message }) => unanswered.refused(message));
    return socket;
  });
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  return {
    get unanswered() {
      return unanswered.count;
    },
    send({ channelName, channel, data }) {
      const socket = sockets[channel % CONNECTIONS] as Socket;
      if (socket.writableCorked === 0) socket.cork();
      unanswered.asked();
      socket.write(request(host, channelName, data));
    },
    flush() {
      for (const socket of sockets) socket.uncork();
    },
    answered: () => unanswered.none(),
    // What was posted ends with the server.
    async forget() {},
  };
}
