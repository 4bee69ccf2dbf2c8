import type { StreamId } from '../../event/stream-id.ts';
import type { LetGo } from './publishing.ts';

interface Published {
  readonly channel: string;
  readonly id: StreamId;
}

/** How many of them are known: a subscription that begins so much later may be sent what its own client published. */
const MAX_KNOWN = 64;

/** What one client publishes without an echo: none of its subscriptions is sent it, be it one that begins later. */
export class Unechoed {
  /** How what is held back is let go, for each event under way, by channel. */
  readonly #underWay = new Map<string, Set<LetGo[]>>();
  /** The last one last. */
  #known: Published[] = [];

  /** An event is being published; `held`: the subscription to its channel, if there is one. */
  begin(channel: string, held: LetGo | undefined): LetGo {
    const event = held === undefined ? [] : [held];
    const others = this.#underWay.get(channel);
    if (others === undefined) this.#underWay.set(channel, new Set([event]));
    else others.add(event);
    return (id) => {
      this.#settle(channel, event);
      if (id !== undefined) this.#known = [...this.#known, { channel, id }].slice(-MAX_KNOWN);
      for (const letGo of event) letGo(id);
    };
  }

  /** A subscription to this channel begins; `hold` holds it back. */
  joined(channel: string, hold: () => LetGo): void {
    for (const event of this.#underWay.get(channel) ?? []) event.push(hold());
    const known = this.#known.filter((published) => published.channel === channel);
    // All are held back before the first of them is let go: with that it may begin.
    const holds = known.map(({ id }) => ({ id, letGo: hold() }));
    for (const { id, letGo } of holds) letGo(id);
  }

  #settle(channel: string, event: LetGo[]): void {
    const others = this.#underWay.get(channel);
    others?.delete(event);
    if (others?.size === 0) this.#underWay.delete(channel);
  }
}
