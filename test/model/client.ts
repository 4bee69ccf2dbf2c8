import type { NativePrincipal } from '../../src/auth/native-principal.ts';
import type { StreamId } from '../../src/event/stream-id.ts';
import type { ServerFrame } from '../../src/protocol/native/server-frame.ts';
import type { SimulatedTransport } from '../support/simulated-transport.ts';
import type { Instance } from './instance.ts';
import type { Places } from './place.ts';

/** One connection as the model sees it, be it a WebSocket or a stream. */
export interface Client {
  readonly instance: Instance;
  readonly as: NativePrincipal;
  readonly id: string;
  readonly transport: SimulatedTransport;
  /** Events. */
  readonly received: number;
  /** The numbers of what it was told. */
  readonly told: Told;
  isComplete(end: StreamId): boolean;
  /** Everything up to `end` has arrived, or was said to be lost; throws when not. */
  checkComplete(end: StreamId): void;
  /** Where it goes on, on whatever instance. */
  places(): Places;
}

type Tell = Extract<ServerFrame, { type: 'tell' }>;

/** What one client was told: no thing twice. */
export class Told {
  readonly #numbers = new Set<number>();

  on({ data }: Tell): void {
    const { number } = data as unknown as { number: number };
    if (this.#numbers.has(number)) throw new Error(`it was told ${number} twice`);
    this.#numbers.add(number);
  }

  has(number: number): boolean {
    return this.#numbers.has(number);
  }
}
