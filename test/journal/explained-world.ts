import type { Verdict } from '../../src/inspect/api.ts';
import { compareIds } from '../../src/event/stream-id.ts';
import { createExplain, type Explain } from '../../src/journal/explain.ts';
import { Journal } from '../../src/journal/journal.ts';
import { parseRecording, recordingOf } from '../../src/journal/recording.ts';
import { replayRecording } from '../../src/journal/replay.ts';
import type { Gap } from '../../src/routing/protocol.ts';
import type { Published } from '../model/journal.ts';
import { World } from '../model/world.ts';
import type { SimulatedTransport } from '../support/simulated-transport.ts';

interface Message {
  readonly order?: number;
  readonly gap?: Gap;
}

/** A socket, and what its transport really was given. */
interface Explained {
  readonly id: string;
  readonly channel: string;
  readonly transport: SimulatedTransport;
  readonly orders: Set<number>;
  readonly gaps: Gap[];
  /** How many of the frames are in the two. */
  read: number;
}

/** How things stood in the moment in which the answer was made: while it is on its way they go on. */
interface Truth {
  readonly wasGiven: boolean;
  readonly wasClosed: boolean;
  readonly wasRead: boolean;
  readonly wasInGap: boolean;
}

/** How often a verdict was given. */
export type Counts = Map<Verdict['kind'], number>;

/** The model's world, in which it is asked again and again what became of an event, and compared with what did. */
export class ExplainedWorld extends World {
  readonly counts: Counts;
  readonly #sockets: Explained[] = [];
  readonly #journal: Journal;
  readonly #explain: Explain;
  #asked: { readonly socket: Explained; readonly event: Published } | undefined;
  #truth: Truth | undefined;

  constructor(seed: number, counts: Counts) {
    const journal: Journal = new Journal({
      now: () => this.clock.now(),
      instance: () => 'here',
      keepMs: Number.MAX_SAFE_INTEGER,
      maxSockets: Number.MAX_SAFE_INTEGER,
    });
    super(seed, { journal });
    this.counts = counts;
    this.#journal = journal;
    this.#explain = createExplain(journal, () => {
      this.#look();
      return 'here';
    });
  }

  override onOpened(id: string, channel: string, transport: SimulatedTransport): void {
    this.#sockets.push({ id, channel, transport, orders: new Set(), gaps: [], read: 0 });
  }

  override async step(): Promise<void> {
    if (this.random.chance(0.03) && this.#sockets.length > 0) this.#any().transport.isBroken = true;
    await super.step();
    if (this.random.chance(0.3)) await this.#ask();
  }

  /** What was noted of every socket's machine is what that does again. */
  checkRecordings(): void {
    for (const { id } of this.#sockets) {
      const socket = this.#journal.socket(id);
      if (socket === undefined) throw new Error(`${id} is not known`);
      const recording = parseRecording(JSON.stringify(recordingOf(socket)));
      const { difference } = replayRecording(recording);
      if (difference !== undefined)
        throw new Error(`${id} is replayed otherwise: ${JSON.stringify(difference)}`);
    }
  }

  /** Asks of everything that is known. */
  async checkAll(): Promise<void> {
    for (const socket of this.#sockets) {
      for (const event of this.journal.events)
        if (event.channel === socket.channel) await this.#check(socket, event);
    }
  }

  #any(): Explained {
    return this.random.pick(this.#sockets);
  }

  async #ask(): Promise<void> {
    if (this.#sockets.length === 0 || this.journal.events.length === 0) return;
    await this.#check(this.#any(), this.random.pick(this.journal.events.slice(-40)));
  }

  async #check(socket: Explained, event: Published): Promise<void> {
    this.#asked = { socket, event };
    const { explanations } = await this.#explain({ event: event.id, socket: socket.id });
    const [explanation] = explanations;
    if (explanation === undefined) throw new Error(`${socket.id} is not known`);
    const { verdict, sentence } = explanation;
    this.counts.set(verdict.kind, (this.counts.get(verdict.kind) ?? 0) + 1);
    const fault = faultOf(verdict, this.#truth as Truth);
    if (fault === undefined) return;
    const evidence = explanation.evidence.map(({ atMs, text }) => `  ${atMs} ${text}`).join('\n');
    throw new Error(`${fault}: ${socket.id} and ${event.id}: ${verdict.kind}: ${sentence}\n${evidence}`);
  }

  #look(): void {
    if (this.#asked === undefined) return;
    const { socket, event } = this.#asked;
    readAll(socket);
    const isIn = ({ after, to }: Gap) => compareIds(event.id, after) > 0 && compareIds(event.id, to) <= 0;
    this.#truth = {
      wasGiven: socket.orders.has(event.order),
      wasClosed: socket.transport.isClosed,
      wasRead: compareIds(event.id, this.actors.routing.fanOut.position) <= 0,
      wasInGap: socket.gaps.some(isIn),
    };
  }
}

function readAll(socket: Explained): void {
  const { written } = socket.transport;
  for (; socket.read < written.length; socket.read += 1) {
    const { order, gap } = JSON.parse((written[socket.read] as Buffer).toString()) as Message;
    if (order !== undefined) socket.orders.add(order);
    if (gap !== undefined) socket.gaps.push(gap);
  }
}

function faultOf(verdict: Verdict, { wasGiven, wasClosed, wasRead, wasInGap }: Truth): string | undefined {
  switch (verdict.kind) {
    case 'delivered':
      return wasGiven ? undefined : 'it was never sent';
    // The log has lost it, or is away.
    case 'unknown_event':
      return undefined;
    case 'not_read':
      return wasGiven || wasRead ? 'it was read' : undefined;
    case 'in_gap':
      return wasGiven || !wasInGap ? 'it is in no gap that was told' : undefined;
    case 'closed':
    case 'expired':
      return wasGiven || !wasClosed ? 'it was sent, or is not closed' : undefined;
    case 'due':
      return wasGiven || wasClosed ? 'it was sent, or is closed' : undefined;
    default:
      return wasGiven ? 'it was sent' : undefined;
  }
}
