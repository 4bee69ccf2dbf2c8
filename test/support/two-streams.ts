import type { Entry } from '../../src/event/entry.ts';
import { compareIds, msOf, type StreamId, streamId, ZERO_ID } from '../../src/event/stream-id.ts';
import { Pages } from '../../src/routing/pages.ts';
import { keptPayload } from '../../src/routing/routed-event.ts';
import type { Replay } from '../../src/routing/replay.ts';
import type { SeparateReplayDeps } from '../../src/routing/separate-replay.ts';
import type { Subscription } from '../../src/routing/subscriptions.ts';
import { Window } from '../../src/routing/window.ts';
import { CountingMetrics } from './counting-metrics.ts';
import { eventOf } from './events.ts';
import { Random } from './random.ts';

/** A stream as Redis keeps one: ids of its clock, never going back. */
class Stream {
  readonly entries: Entry[] = [];
  #ms = 0;
  #seq = 0;

  add(nowMs: number, payload: string): StreamId {
    this.#seq = nowMs > this.#ms ? 0 : this.#seq + 1;
    this.#ms = Math.max(this.#ms, nowMs);
    const id = streamId(this.#ms, this.#seq);
    this.entries.push({ id, fields: [Buffer.from('data'), Buffer.from(payload)] });
    return id;
  }

  get lastId(): StreamId {
    return this.entries.at(-1)?.id ?? ZERO_ID;
  }

  after(position: StreamId, count: number): Entry[] {
    return this.entries.filter(({ id }) => compareIds(id, position) > 0).slice(0, count);
  }
}

interface Published {
  readonly channel: string;
  readonly payload: string;
  channelId?: StreamId;
  fullId?: StreamId;
}

/** What one client got wrong, by payload. */
export interface Verdict {
  readonly lost: readonly string[];
  /** Had twice, where neither of its ids is inside the slack. */
  readonly doubled: readonly string[];
  /** Live or from the window, out of order. */
  readonly disordered: readonly string[];
}

export interface Interleaving {
  readonly seed: number;
  readonly slackMs: number;
  readonly createReplay: (deps: SeparateReplayDeps) => Replay;
}

const OWN = 'own';

/**
 * One client's life beside several of Superset's publishers, each of which pauses for less than the slack between
 * its two XADDs: it is live, leaves with the last id it had, and comes back to a process that lags behind the
 * broker and whose window may have moved on; both go on while it is caught up.
 */
export async function liveThrough({ seed, slackMs, createReplay }: Interleaving): Promise<Verdict> {
  const world = new World(new Random(seed), slackMs);
  const { random, window } = world;

  let lastId = ZERO_ID;
  const had = new Set<string>();
  world.hear = ({ fullId, payload }) => {
    lastId = fullId as StreamId;
    had.add(payload);
  };
  world.goOn(random.below(world.left));
  world.hear = undefined;
  world.goOn(random.below(world.left + 1));
  if (lastId === ZERO_ID) return { lost: [], doubled: [], disordered: [] };

  const got: Received[] = [];
  const subscription = { channels: [OWN], cursor: lastId, replay: undefined } as unknown as Subscription;
  const replay = createReplay(world);
  replay.begin(subscription);
  while (subscription.replay !== undefined || !window.holds(subscription.cursor)) {
    const resolve = await replay.read(subscription);
    world.goOn(random.below(6));
    const part = resolve();
    // A full transport: the rest is asked for again.
    const room = random.chance(0.2) ? random.below(part.entries.length + 1) : Number.POSITIVE_INFINITY;
    for (const entry of part.entries.slice(0, room)) {
      got.push({ payload: (entry.fields[1] as Buffer).toString(), id: entry.id, isExact: false });
      part.sent(entry);
    }
    if (room > part.entries.length) part.done();
  }
  for (let event = window.next([OWN], subscription.cursor); event !== undefined; ) {
    got.push({ payload: keptPayload(event).toString(), id: event.id, isExact: true });
    subscription.cursor = event.id;
    event = window.next([OWN], subscription.cursor);
  }
  world.hear = ({ fullId, payload }) => {
    if (compareIds(fullId as StreamId, subscription.cursor) <= 0) return;
    got.push({ payload, id: fullId as StreamId, isExact: true });
  };
  world.finish();
  return judge(world, lastId, had, got);
}

interface Received {
  readonly payload: string;
  readonly id: StreamId;
  /** Live or from the window, under its id of `full`. */
  readonly isExact: boolean;
}

function judge(world: World, lastId: StreamId, had: ReadonlySet<string>, got: readonly Received[]): Verdict {
  const counts = new Map<string, number>();
  for (const payload of [...had, ...got.map((received) => received.payload)]) {
    counts.set(payload, (counts.get(payload) ?? 0) + 1);
  }
  const own = world.published.filter(({ channel }) => channel === OWN);
  const isDue = ({ fullId }: Published): boolean => compareIds(fullId as StreamId, lastId) > 0;
  // Inside the slack of the position, or between its publisher's two XADDs while it was read.
  const mayDouble = ({ payload, channelId }: Published): boolean =>
    world.unfinished.has(payload) || msOf(channelId as StreamId) <= msOf(lastId);
  const exact = got.filter(({ isExact }) => isExact);
  const payloadsOf = (events: readonly { readonly payload: string }[]) =>
    events.map(({ payload }) => payload);
  return {
    lost: payloadsOf(own.filter((event) => isDue(event) && !counts.has(event.payload))),
    doubled: payloadsOf(own.filter((event) => (counts.get(event.payload) ?? 0) > 1 && !mayDouble(event))),
    disordered: payloadsOf(
      exact.filter(({ id }, at) => at > 0 && compareIds(id, (exact[at - 1] as Received).id) <= 0),
    ),
  };
}

/** Superset, its broker and one process: what a replay is given. */
class World implements SeparateReplayDeps {
  readonly random: Random;
  readonly slackMs: number;
  readonly published: readonly Published[];
  /** Payloads whose second XADD had not happened when the process asked how far the broker is. */
  readonly unfinished = new Set<string>();
  readonly window: Window;
  readonly metrics = new CountingMetrics();
  readonly log = { lastId: async () => this.#lastId() };
  readonly pages: Pages;
  readonly position = (): StreamId => this.#position;
  readonly routed = async (id: StreamId): Promise<void> => {
    while (compareIds(this.#position, id) < 0) this.#routeNext();
  };
  /** Told of the client's events as they are routed. */
  hear: ((event: Published) => void) | undefined;

  readonly #steps: Step[];
  readonly #channels = new Map<string, Stream>();
  readonly #full = new Stream();
  readonly #unrouted: Published[] = [];
  #position = ZERO_ID;

  constructor(random: Random, slackMs: number) {
    this.random = random;
    this.slackMs = slackMs;
    const { steps, published } = script(random, slackMs);
    this.#steps = steps.reverse();
    this.published = published;
    const limits = { maxBytes: Number.MAX_SAFE_INTEGER, maxAgeMs: Number.MAX_SAFE_INTEGER };
    this.window = new Window({ ...limits, maxEvents: 1 + random.below(12) }, ZERO_ID);
    this.pages = new Pages({
      log: {
        range: async (channel, after, _end, count) => ({
          entries: this.#channels.get(channel)?.after(after, count) ?? [],
          trimmed: false,
        }),
      },
      maxReads: 4,
      onRequested() {},
      onSettled() {},
    });
  }

  /** How many XADDs there are to come. */
  get left(): number {
    return this.#steps.length;
  }

  /** Runs some XADDs, and routes some of what is in the broker. */
  goOn(steps: number): void {
    for (let step = 0; step < steps; step++) {
      this.#runNext();
      if (this.random.chance(0.45)) this.#routeNext();
    }
    if (this.random.chance(0.5)) while (this.#unrouted.length > 0) this.#routeNext();
  }

  finish(): void {
    while (this.left > 0) this.#runNext();
    while (this.#unrouted.length > 0) this.#routeNext();
  }

  #lastId(): StreamId {
    for (const { payload, fullId } of this.published) if (fullId === undefined) this.unfinished.add(payload);
    return this.#full.lastId;
  }

  #runNext(): void {
    const step = this.#steps.pop();
    if (step === undefined) return;
    const { atMs, event, isFull } = step;
    if (isFull) {
      event.fullId = this.#full.add(atMs, event.payload);
      this.#unrouted.push(event);
      return;
    }
    let stream = this.#channels.get(event.channel);
    if (stream === undefined) this.#channels.set(event.channel, (stream = new Stream()));
    event.channelId = stream.add(atMs, event.payload);
  }

  #routeNext(): void {
    const event = this.#unrouted.shift();
    if (event === undefined) return;
    const { channel, fullId, payload } = event;
    this.#position = fullId as StreamId;
    const options = { channels: channel, payload: Buffer.from(payload), atMs: msOf(this.#position) };
    this.window.add(eventOf(this.#position, options));
    if (channel === OWN) this.hear?.(event);
  }
}

interface Step {
  readonly atMs: number;
  readonly event: Published;
  readonly isFull: boolean;
}

/** Every XADD of every publisher in the order in which Redis runs them, many of them in the same millisecond. */
function script(random: Random, slackMs: number): { steps: Step[]; published: Published[] } {
  const workers = 1 + random.below(4);
  const events = random.chance(0.01) ? 300 : 3 + random.below(30);
  const spreadMs = random.pick([2, 50, slackMs * 4]);
  const pauses = random.pick([1, 3, slackMs]);
  const published: Published[] = [];
  const steps: (Step & { readonly order: number })[] = [];
  for (let worker = 0; worker < workers; worker++) {
    let atMs = 1_700_000_000_000;
    for (let made = 0; made < events; made++) {
      atMs += random.below(spreadMs);
      const event: Published = { channel: random.chance(0.6) ? OWN : 'other', payload: `${worker}.${made}` };
      published.push(event);
      steps.push({ atMs, event, isFull: false, order: made + random.next() / 2 });
      atMs += random.below(pauses);
      steps.push({ atMs, event, isFull: true, order: made + 0.5 + random.next() / 2 });
    }
  }
  steps.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
  return { steps, published };
}
