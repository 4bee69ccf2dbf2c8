import type { Delivery } from '../../routing/delivery.ts';
import type { Subscription } from '../../routing/subscriptions.ts';
import type { ClientPublication, PublishAnswer } from './session.ts';

export interface PublishFor {
  readonly publication: ClientPublication;
  readonly user: string;
  readonly delivery: Pick<Delivery, 'hold' | 'release'>;
  /** What is not to get the event; undefined: everything is. */
  readonly unechoed: Subscription | undefined;
  readonly publish: (publication: ClientPublication) => Promise<PublishAnswer>;
  readonly settle: (answer: PublishAnswer) => void;
  readonly onError: (error: unknown) => void;
}

/** Publishes for a client, under a key that is its user's and the channel's alone. */
export function publishFor(request: PublishFor): void {
  const { publication, user, delivery, unechoed, publish, settle, onError } = request;
  const { channel, key } = publication;
  // It may be routed before its id is known here, so nothing of the channel is sent until it is.
  if (unechoed !== undefined) delivery.hold(unechoed);
  const named = key === undefined ? {} : { key: `u\n${user}\n${channel}\n${key}` };
  publish({ ...publication, ...named }).then((answer) => {
    settle(answer);
    if (unechoed !== undefined) delivery.release(unechoed, 'id' in answer ? answer.id : undefined);
  }, onError);
}
