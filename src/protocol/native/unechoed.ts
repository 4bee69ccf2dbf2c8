import type { StreamId } from '../../event/stream-id.ts';
import type { LetGo } from './publishing.ts';

/** One event that is published while its client does not have the channel. */
interface UnderWay {
  /** Undefined: still nobody would hear of it. */
  letGo?: LetGo;
}

/**
 * What a client publishes without an echo to channels that it does not have, but may have asked for or ask for next:
 * its own events are not for it then either.
 */
export class Unechoed {
  readonly #underWay = new Map<string, Set<UnderWay>>();

  /** `settled` is told of an event that nobody was to be kept from, as soon as its id is known. */
  begin(channel: string, settled: (id: StreamId) => void): LetGo {
    const event: UnderWay = {};
    const others = this.#underWay.get(channel);
    if (others === undefined) this.#underWay.set(channel, new Set([event]));
    else others.add(event);
    return (id) => {
      this.#forget(channel, event);
      if (event.letGo !== undefined) event.letGo(id);
      else if (id !== undefined) settled(id);
    };
  }

  /** The client has the channel now: `hold` is called for each that is still under way. */
  joined(channel: string, hold: () => LetGo): void {
    for (const event of this.#underWay.get(channel) ?? []) event.letGo = hold();
    this.#underWay.delete(channel);
  }

  #forget(channel: string, event: UnderWay): void {
    const others = this.#underWay.get(channel);
    others?.delete(event);
    if (others?.size === 0) this.#underWay.delete(channel);
  }
}
