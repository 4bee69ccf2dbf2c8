import type { StreamId } from '../../event/stream-id.ts';
import type { Delivery } from '../../routing/delivery.ts';
import type { Subscription } from '../../routing/subscriptions.ts';
import type { ClientPublication, PublishAnswer } from './session.ts';

/** Lets go what is held back; is told of an event that is not for it, if there came one of it. */
export type LetGo = (unwanted?: StreamId) => void;

export interface PublishFor {
  readonly publication: ClientPublication;
  readonly user: string;
  /** What is not to get the event, and is held back; undefined: everything gets it. */
  readonly letGo: LetGo | undefined;
  readonly publish: (publication: ClientPublication) => Promise<PublishAnswer>;
  readonly settle: (answer: PublishAnswer) => void;
  readonly onError: (error: unknown) => void;
}

/** Publishes for a client, under a key that is its user's and the channel's alone. */
export function publishFor(request: PublishFor): void {
  const { publication, user, letGo, publish, settle, onError } = request;
  const { channel, key } = publication;
  const named = key === undefined ? {} : { key: `u\n${user}\n${channel}\n${key}` };
  publish({ ...publication, ...named }).then((answer) => {
    settle(answer);
    letGo?.('id' in answer ? answer.id : undefined);
  }, onError);
}

/** An event may be routed before its id is known here, so nothing of its channel is sent until it is. */
export function holdBack(delivery: Pick<Delivery, 'hold' | 'release'>, subscription: Subscription): LetGo {
  delivery.hold(subscription);
  return (unwanted) => delivery.release(subscription, unwanted);
}
