import type { EventLog } from '../broker/ports.ts';
import type { PubSubFormat } from '../protocol/pubsub/event-codec.ts';
import type { Actors } from './actors.ts';

/** What the actors of one server in one format are made of. */
export interface PubSubChoice {
  readonly from: Pick<EventLog, 'subscribe'>;
  readonly format: PubSubFormat;
  /** Where it is, without who asks; empty: it is the broker. */
  readonly server: string;
  /** Before the ids of its actors. */
  readonly prefix: string;
}

export interface PubSubFeedsDeps {
  /** The plain channels of a Redis server: the same for all URLs of one. */
  readonly at: (url: string) => Pick<EventLog, 'subscribe'>;
  readonly create: (choice: PubSubChoice) => Actors;
  /** Where what was created is added, so that it is measured, drained and stopped with everything else. */
  readonly all: Actors[];
}

/**
 * The actors that serve plain Pub/Sub channels: a set for each server and format, made when the first of its channels is
 * asked for. Sets of one server share its connection.
 */
export class PubSubFeeds {
  readonly #deps: PubSubFeedsDeps;
  readonly #made = new Map<Pick<EventLog, 'subscribe'>, Map<PubSubFormat, Actors>>();
  #count = 0;
  #isStarted = false;

  constructor(deps: PubSubFeedsDeps) {
    this.#deps = deps;
  }

  /** `url`: of another Redis server; empty: the broker's own. */
  of(url: string, format: PubSubFormat): Actors {
    const from = this.#deps.at(url);
    const formats = this.#made.get(from) ?? new Map<PubSubFormat, Actors>();
    this.#made.set(from, formats);
    const known = formats.get(format);
    if (known !== undefined) return known;
    this.#count += 1;
    const actors = this.#deps.create({
      from,
      format,
      server: placeOf(url),
      prefix: `pubsub-${this.#count}/`,
    });
    formats.set(format, actors);
    this.#deps.all.push(actors);
    if (this.#isStarted) actors.start();
    return actors;
  }

  /** Those that are made from now on are started at once; those that are there already are started with all others. */
  start(): void {
    this.#isStarted = true;
  }

  stop(): void {
    this.#isStarted = false;
  }
}

/** A URL without its user, its password and its parameters, of which one may be the password. */
function placeOf(url: string): string {
  return (url.split('?', 1)[0] as string).replace(/\/\/[^/]*@/, '//');
}
