import { userChannel } from '../../src/protocol/native/names.ts';
import { settled } from '../support/heap-clock.ts';
import type { Random } from '../support/random.ts';
import type { ClientKind } from './actions.ts';
import type { Client } from './client.ts';
import type { Credentials } from './credentials.ts';
import type { Installation } from './installation.ts';
import type { Instance } from './instance.ts';
import type { Journal } from './journal.ts';
import { commonPlace, type Left } from './place.ts';
import { SocketClient } from './socket-client.ts';
import { StreamClient } from './stream-client.ts';

/** The channels that no user owns. */
export const NAMED = ['north', 'south', 'west'];
const MOST_CLIENTS = 5;
/** What is between who a client is and its socket: a ticket that is redeemed, an application that is asked. */
const SLOWEST_ADMISSION_MS = 500;

export interface CrowdOptions {
  readonly random: Random;
  readonly installation: Installation;
  readonly journal: Journal;
  readonly credentials: Credentials;
  readonly kind: ClientKind;
  readonly users: readonly string[];
  /** An application decides. */
  readonly isDecided: boolean;
}

/** The clients of an installation: those that are connected, and those that may come back. */
export class Crowd {
  readonly #options: CrowdOptions;
  #connected: Client[] = [];
  #left: Left[] = [];
  /** Those that were let in and whose socket is not open yet. */
  arriving = 0;
  /** A promise to one of them that was not true. */
  fault: string | undefined;

  constructor(options: CrowdOptions) {
    this.#options = options;
  }

  get connected(): readonly Client[] {
    return this.#connected;
  }

  any(): Client | undefined {
    return this.#connected[this.#options.random.below(this.#connected.length)];
  }

  /** Somebody new, or somebody who comes back, to any instance. */
  connect(): void {
    if (this.#connected.length + this.arriving >= MOST_CLIENTS) return;
    const { random, users, credentials, installation } = this.#options;
    const user = random.pick(users);
    const came = this.#left.splice(random.below(this.#left.length), 1)[0];
    const left = came ?? { as: credentials.of(user), places: new Map() };
    const instance = installation.any();
    if (instance === undefined) return void this.#left.push(left);
    const as = random.chance(0.5) ? left.as : credentials.of(left.as.user);
    if (instance.refuses(as)) {
      credentials.signIn(as.user);
      this.#left.push(left);
      return;
    }
    if (installation.living.length === 1) return this.#open(instance, { ...left, as });
    this.arriving += 1;
    installation.clock.setTimeout(() => {
      this.arriving -= 1;
      if (instance.isKilled) this.#left.push(left);
      else this.#open(instance, { ...left, as });
    }, random.below(SLOWEST_ADMISSION_MS));
  }

  /** Somebody who has all that one instance gave goes to another, at once. */
  move(): void {
    const client = this.any();
    if (client === undefined) return;
    client.transport.isReading = true;
    client.transport.flush();
    client.transport.cut();
    this.reap();
    const left = this.#left.pop();
    if (left === undefined) return;
    const other = this.#options.installation.living.find((instance) => instance !== client.instance);
    if (other?.isServing === true && !other.refuses(left.as)) this.#open(other, left);
    else this.#left.push(left);
  }

  flush(): void {
    for (const client of this.#connected) {
      client.transport.flush();
      // Of a stream, what the kernel takes is all the answer that there is.
      if (client instanceof StreamClient && client.transport.isReading) client.transport.answer();
    }
  }

  /** Everybody reads and answers again. */
  heal(): void {
    for (const { transport } of this.#connected) {
      transport.isReading = true;
      transport.isAnswering = true;
      transport.answer();
      transport.flush();
    }
  }

  /** A moment in which everybody reads and answers. */
  async pass(): Promise<void> {
    await this.#options.installation.clock.advance(200);
    await settled();
    for (const { transport } of this.#connected) {
      transport.answer();
      transport.flush();
    }
    this.reap();
  }

  /** Those whose connection has ended may come back from where they were. */
  reap(): void {
    for (const { core } of this.#options.installation.living) if (core.bugs.length > 0) throw core.bugs[0];
    if (this.fault !== undefined) throw new Error(this.fault);
    for (const client of this.#connected) {
      if (client.transport.isClosed) this.#left.push({ as: client.as, places: client.places() });
    }
    this.#connected = this.#connected.filter(({ transport }) => !transport.isClosed);
  }

  #open(instance: Instance, { as, places }: Left): void {
    const { journal, kind, random, isDecided } = this.#options;
    const from = commonPlace(places);
    const isStream = kind === 'stream' || (kind === 'both' && random.chance(0.5));
    let client: Client;
    if (isStream && (from !== undefined || places.size === 0)) {
      const all = [userChannel(as.user), ...NAMED];
      const some = all.filter(() => random.chance(0.6));
      const channels = places.size > 0 ? [...places.keys()] : some.length === 0 ? all : some;
      client = new StreamClient({ instance, as, journal, channels, from });
    } else {
      const blame = (fault: string): void => void (this.fault ??= fault);
      client = new SocketClient({ instance, as, journal, places, isDecided, blame });
    }
    instance.clients.push(client);
    this.#connected.push(client);
  }
}
