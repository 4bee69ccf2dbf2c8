import type { FastifyReply } from 'fastify';
import type { LogLimit } from '../telemetry/log-limit.ts';
import type { Logger } from '../telemetry/logger.ts';
import { sendProblem, sendTooMany } from '../transport/http-problem.ts';
import type { Judgement } from './admin-access.ts';

export interface WrongToken {
  readonly judgement: Exclude<Judgement, 'right'>;
  readonly address: string;
  /** What is said when it may be tried again at once. */
  readonly detail: string;
}

/** Refuses a token that is not the one, with a line of the log. */
export function refuseToken(
  reply: FastifyReply,
  { judgement, address, detail }: WrongToken,
  { logger, limit }: { readonly logger: Pick<Logger, 'warn'>; readonly limit: LogLimit },
): FastifyReply {
  limit.log('wrong admin token', (suppressed) =>
    logger.warn({ address, suppressed }, 'Somebody came to the admin listener with a wrong token'),
  );
  if (judgement !== 'wrong') return sendTooMany(reply, judgement.waitMs, 'Too many wrong tokens.');
  return sendProblem(reply, 'unauthorized', detail);
}
