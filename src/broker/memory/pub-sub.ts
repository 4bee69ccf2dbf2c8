import { BrokerError } from '../broker-error.ts';
import type { Listener, Subscriber } from '../ports.ts';

interface Member {
  readonly channels: Set<string>;
  readonly listener: Listener;
  /** Why it hears nothing more. */
  ended: BrokerError | undefined;
}

/** Plain publish and subscribe within the process. Listeners run in a microtask, never in the publisher's stack. */
export class PubSub {
  readonly #members = new Set<Member>();

  subscribe(channels: readonly string[], listener: Listener): Subscriber {
    const member: Member = { channels: new Set(channels), listener, ended: undefined };
    this.#members.add(member);
    return {
      async add(channel) {
        if (member.ended !== undefined) throw member.ended;
        member.channels.add(channel);
      },
      remove: (channel) => void member.channels.delete(channel),
      close: () => this.#end(member, new BrokerError('closed', 'the subscription was closed')),
    };
  }

  publish(channel: string, payload: Buffer): number {
    const copy = Buffer.from(payload);
    let count = 0;
    for (const { channels, listener } of this.#members) {
      if (!channels.has(channel)) continue;
      count += 1;
      queueMicrotask(() => {
        if (channels.has(channel)) listener.message(channel, copy);
      });
    }
    return count;
  }

  /** Every member loses its connection. */
  lose(): void {
    for (const member of this.#members) {
      this.#members.delete(member);
      // What was published before still arrives.
      queueMicrotask(() => {
        if (member.ended !== undefined) return;
        const reason = new BrokerError('lost', 'the memory broker is in an outage');
        this.#end(member, reason);
        member.listener.lost(reason);
      });
    }
  }

  close(): void {
    for (const member of this.#members) this.#end(member, new BrokerError('closed', 'the broker was closed'));
  }

  #end(member: Member, reason: BrokerError): void {
    member.ended ??= reason;
    member.channels.clear();
    this.#members.delete(member);
  }
}
