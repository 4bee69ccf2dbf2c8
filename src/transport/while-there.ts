import type { FastifyRequest } from 'fastify';

/** What is asked is given up when the client goes; nothing stays on a connection that is kept for more requests. */
export async function whileThere<Answer>(
  { raw: { socket } }: FastifyRequest,
  ask: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const gone = new AbortController();
  const abort = (): void => gone.abort();
  socket.once('close', abort);
  try {
    return await ask(gone.signal);
  } finally {
    socket.off('close', abort);
  }
}
