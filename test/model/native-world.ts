import { type StreamId, ZERO_ID } from '../../src/event/stream-id.ts';
import { userChannel } from '../../src/protocol/native/names.ts';
import type { RawJson } from '../../src/protocol/native/client-frame.ts';
import type { ClientPublication, PublishAnswer } from '../../src/protocol/native/session.ts';
import type { Target } from '../../src/protocol/native/target.ts';
import { settled } from '../support/heap-clock.ts';
import { Random } from '../support/random.ts';
import { ACTIONS, type Action, type ClientKind, PROFILES, type Profile } from './actions.ts';
import { Application } from './application.ts';
import { Credentials } from './credentials.ts';
import { Crowd, NAMED } from './crowd.ts';
import { Installation } from './installation.ts';
import type { Instance } from './instance.ts';
import { Journal } from './journal.ts';
import { SocketClient } from './socket-client.ts';
import { TIMES } from './tightness.ts';

/** How long after a trouble everybody has heard of everything. */
const CALM_MS = 8_000;
const HEARD_MS = 1_500;
/** Of a publish. */
const SLOWEST_ANSWER_MS = 2_000;

export interface NativeWorldOptions {
  /** More than one: they come and go, and lag. */
  readonly instances?: number;
  readonly clients?: ClientKind;
  /** Left out: the token decides. */
  readonly hasApplication?: boolean;
}

/** The native protocol on the embedded broker under a simulated clock, and everything that can happen to it. */
export class NativeWorld {
  readonly random: Random;
  readonly journal = new Journal();
  readonly history: string[] = [];
  readonly installation: Installation;
  readonly #credentials: Credentials;
  readonly #crowd: Crowd;
  readonly #application: Application | undefined;
  readonly #profile: Profile;
  readonly #actions: readonly Action[];
  readonly #users: readonly string[];
  #tells = 0;
  #troubleAtMs = 0;
  #lostDataAtMs = 0;

  constructor(
    seed: number,
    { instances = 1, clients = 'socket', hasApplication = false }: NativeWorldOptions = {},
  ) {
    this.random = new Random(seed);
    this.#profile = PROFILES[clients === 'both' ? this.random.pick(['socket', 'stream'] as const) : clients];
    this.#actions = ACTIONS.filter(
      ({ of = clients, isOfSeveral = false }) =>
        (clients === 'both' || of === clients) && (!isOfSeveral || instances > 1),
    ).map(({ name }) => name);
    this.#users = instances > 1 ? ['5', '6'] : ['5'];
    this.#application = hasApplication
      ? new Application(this.random, () => this.installation.clock)
      : undefined;
    const { limits, history } = this.#profile;
    this.installation = new Installation({
      random: this.random,
      size: instances,
      history,
      instance: () => ({
        rules: {
          maxSubscriptions: 4,
          framesPerSecond: 1_000_000,
          decider: this.#application?.decider ?? {},
          publish: (publication) => this.#publishFor(publication),
        },
        deps: {
          random: this.random.next,
          limits,
          reads: { count: 4, blockMs: 5_000, pauseMs: this.random.pick([0, 2]) },
          times: TIMES,
          gcIntervalMs: 3_000,
          // Whatever the broker does to it, it reads, and must never be taken for deaf.
          canary: { name: 'native', intervalMs: 1_000, toleranceMs: 6_000 },
        },
      }),
    });
    this.#credentials = new Credentials(this.installation.clock);
    this.#crowd = new Crowd({
      random: this.random,
      installation: this.installation,
      journal: this.journal,
      credentials: this.#credentials,
      kind: clients,
      users: this.#users,
      isDecided: hasApplication,
    });
    this.journal.live(this.installation.broker.native.head().epoch);
  }

  async start(): Promise<void> {
    await this.installation.start();
  }

  async step(): Promise<void> {
    const action = this.random.pick(this.#actions);
    this.history.push(action);
    await this[action]();
    if (this.random.chance(0.7)) await settled();
    this.#reap();
    for (const instance of this.installation.living) instance.checkBounds();
    this.#checkRevoked();
  }

  /** Everything heals; then everybody must have everything, and every event be accounted for. */
  async finish(): Promise<void> {
    await this.#heal();
    const last = this.journal.events.at(-1)?.id ?? ZERO_ID;
    await this.#settle(last);
    for (const client of this.#crowd.connected) client.checkComplete(last);
    let end = ZERO_ID;
    for (const channel of this.#channels()) end = await this.append(channel);
    await this.#settle(end);
    for (const client of this.#crowd.connected) client.checkComplete(end);
    for (const instance of this.installation.living) {
      if (!instance.isReady) throw new Error(`I7: ${instance.id} is not reading`);
      instance.checkAccounts();
    }
    this.#checkRevoked();
    await this.#checkReach();
    this.installation.stop();
    this.#reap();
    if (this.#application !== undefined && this.#application.size > 0)
      throw new Error('the application was not told who went');
  }

  async publish(): Promise<void> {
    if (this.installation.isAway) return;
    const count = this.random.pick(this.#profile.bursts);
    // Of one channel: more than a page of it, beside what others have.
    const channels = this.random.chance(0.3) ? [this.random.pick(this.#channels())] : this.#channels();
    for (let at = 0; at < count; at += 1) {
      if (this.random.chance(0.3)) this.installation.clock.increment(this.random.below(3));
      await this.append(this.random.pick(channels));
    }
  }

  /** What a client publishes and does not want to hear, wherever it subscribes meanwhile. */
  publishUnechoed(): void {
    const { client, channel } = this.#anySubscription();
    if (client === undefined || this.installation.isAway) return;
    const { native } = this.installation.broker;
    const before = native.head().lastId;
    client.publish(channel, { order: this.journal.events.length });
    const { lastId } = native.head();
    // Who is being closed is not heard.
    if (lastId === before) return;
    this.journal.add(lastId, channel, client.id);
    this.#noteTrimmed(channel);
  }

  async append(channel: string): Promise<StreamId> {
    const { native } = this.installation.broker;
    const text = 'x'.repeat(this.random.pick(this.#profile.textLengths));
    const data = Buffer.from(JSON.stringify({ order: this.journal.events.length, text }));
    const published = native.publishEvents([{ channel, topic: 't', data }]);
    // The journal has to know of it before any socket can be sent it.
    const id = await native.lastId();
    this.journal.add(id, channel);
    this.#noteTrimmed(channel);
    await published;
    return id;
  }

  connect(): void {
    this.#crowd.connect();
  }

  move(): void {
    this.#crowd.move();
  }

  subscribe(): void {
    const { client, channel } = this.#anySubscription();
    if (client === undefined || client.isHeeding(channel) || client.isAsking(channel)) return;
    client.subscribe(channel, undefined);
  }

  /** A client of an instance which was ahead of this one. */
  comeFromElsewhere(): void {
    const { client, channel } = this.#anySubscription();
    const last = this.journal.events.at(-1);
    if (client === undefined || client.isHeeding(channel) || client.isAsking(channel)) return;
    if (last === undefined || last.epoch !== this.journal.epoch) return;
    const { epoch } = this.installation.broker.native.head();
    client.subscribe(channel, { position: last.id, epoch, life: last.epoch });
  }

  unsubscribe(): void {
    const { client, channel } = this.#anySubscription();
    if (client?.isHeeding(channel)) client.unsubscribe(channel);
  }

  /** Takes back what may not be decided yet. */
  cancel(): void {
    const { client, channel } = this.#anySubscription();
    if (client?.isAsking(channel)) client.unsubscribe(channel);
  }

  drop(): void {
    this.#crowd.any()?.transport.cut();
  }

  stall(): void {
    const client = this.#crowd.any();
    if (client !== undefined) client.transport.isReading = false;
  }

  read(): void {
    const client = this.#crowd.any();
    if (client === undefined) return;
    client.transport.isReading = true;
    client.transport.flush(this.random.pick([1, 2, 100]));
  }

  flush(): void {
    this.#crowd.flush();
  }

  fallSilent(): void {
    const client = this.#crowd.any();
    if (client instanceof SocketClient) client.transport.isAnswering = false;
  }

  answer(): void {
    for (const { transport } of this.#crowd.connected) {
      if (this.random.chance(0.8)) transport.isAnswering = true;
      transport.answer();
    }
  }

  trim(): void {
    if (this.random.chance(0.5)) return;
    this.journal.trimmed(this.#nowMs);
    const channel = this.random.chance(0.5) ? undefined : this.random.pick(this.#channels());
    this.installation.broker.native.trim(channel, this.random.below(4));
  }

  outage(): void {
    this.#trouble();
    this.installation.setAway(!this.installation.isAway && this.random.chance(0.5));
  }

  loseData(): void {
    if (this.random.chance(0.8)) return;
    this.#trouble();
    this.#lostDataAtMs = this.#nowMs;
    this.installation.broker.loseData();
    this.journal.live(this.installation.broker.native.head().epoch);
    // No server comes back within the millisecond; ids of two lives never meet.
    this.installation.clock.increment(10);
  }

  async wait(): Promise<void> {
    await this.installation.clock.advance(this.random.pick([1, 5, 50, 500, 2_000, 6_000]));
  }

  async replaceOne(): Promise<void> {
    if (this.random.chance(0.5)) return;
    this.#trouble();
    await this.installation.replaceOne();
  }

  revoke(): void {
    void this.#credentials.revoke(this.random.pick(this.#users), () => this.installation.any());
  }

  tell(): void {
    const target = this.random.pick<Target>([{ everyone: true }, { user: this.random.pick(this.#users) }]);
    this.#tell(this.installation.any(), target).catch(() => {});
  }

  #noteTrimmed(channel: string): void {
    if (this.journal.countOf(channel) > this.#profile.history.maxLength) this.journal.trimmed(this.#nowMs);
  }

  /** Written at once; that it was is heard later than the event itself. */
  async #publishFor(publication: ClientPublication): Promise<PublishAnswer> {
    const { broker, clock } = this.installation;
    const [outcome] = await broker.native.publishEvents([publication]);
    await new Promise<void>((resolve) => {
      if (this.random.chance(0.5)) resolve();
      else clock.setTimeout(resolve, this.random.below(SLOWEST_ANSWER_MS));
    });
    return outcome !== undefined && 'id' in outcome ? { id: outcome.id } : { refused: 'unavailable' };
  }

  get #nowMs(): number {
    return this.installation.clock.now();
  }

  #channels(): readonly string[] {
    return [...this.#users.map(userChannel), ...NAMED];
  }

  async #tell(instance: Instance | undefined, target: Target): Promise<number> {
    const number = this.#tells++;
    await instance?.instances.tell(target, 't', JSON.stringify({ number }) as RawJson);
    return number;
  }

  async #heal(): Promise<void> {
    this.installation.setAway(false);
    if (this.#application !== undefined) this.#application.isHealed = true;
    for (const { lag } of this.installation.living) lag.slowestReadMs = 0;
    if (this.#lostDataAtMs > 0) this.#forgetLost();
    for (
      let round = 0;
      round < 150 && (this.#credentials.pending > 0 || this.#crowd.arriving > 0);
      round += 1
    ) {
      await this.installation.clock.advance(200);
    }
    if (this.#credentials.pending > 0) throw new Error('an end was never done');
    this.#crowd.heal();
  }

  async #settle(end: StreamId): Promise<void> {
    for (let round = 0; round < 150; round += 1) {
      await this.#crowd.pass();
      const isComplete = this.#crowd.connected.every((client) => client.isComplete(end));
      if (this.installation.living.every(({ isReady }) => isReady) && isComplete) return;
    }
  }

  /** As long as it takes to be heard by all. */
  async #passWhile<Answer>(asked: Promise<Answer>): Promise<Answer> {
    let isAnswered = false;
    const answer = asked.finally(() => {
      isAnswered = true;
    });
    for (let rounds = 0; rounds < 8 || !isAnswered; rounds += 1) await this.#crowd.pass();
    return answer;
  }

  #anySubscription(): { client: SocketClient | undefined; channel: string } {
    const client = this.#crowd.any();
    const channel = this.random.pick(NAMED);
    return { client: client instanceof SocketClient ? client : undefined, channel };
  }

  #reap(): void {
    this.#crowd.reap();
    if (this.#application?.fault !== undefined) throw new Error(this.#application.fault);
  }

  #trouble(): void {
    this.#troubleAtMs = this.#nowMs;
  }

  /** Revoked by who is no more, before the broker lost its data: nobody can know of it. */
  #forgetLost(): void {
    this.#credentials.forgetUnless((token) =>
      this.installation.living.some(({ instances }) => instances.isRevoked(token) === true),
    );
  }

  /** While all is well nobody is connected by a token that was revoked a while ago, and nobody would be. */
  #checkRevoked(): void {
    // Whose reads bring something each time notices late that the data was lost.
    if (!this.installation.isOfOneLife) this.#trouble();
    if (this.installation.isAway || this.#nowMs - this.#troubleAtMs < CALM_MS) return;
    if (this.#lostDataAtMs > 0) this.#forgetLost();
    const untilMs = this.#nowMs - HEARD_MS;
    for (const { as, id } of this.#crowd.connected) {
      if (this.#credentials.isRevoked(as, untilMs))
        throw new Error(`${id} is open by a token that was revoked`);
    }
    for (const token of this.#credentials.revoked()) {
      if (!this.#credentials.isRevoked(token, untilMs)) continue;
      for (const { id, isServing, instances } of this.installation.living) {
        if (isServing && instances.isRevoked(token) === false) throw new Error(`${id} takes a revoked token`);
      }
    }
  }

  /** What is said on one instance reaches the sockets of all, and ends the one that is meant. */
  async #checkReach(): Promise<void> {
    if (this.#users.length === 1) return;
    const instance = this.installation.any();
    const number = await this.#passWhile(this.#tell(instance, { everyone: true }));
    for (const { id, told } of this.#crowd.connected)
      if (!told.has(number)) throw new Error(`${id} was not told`);
    const client = this.#crowd.any();
    if (instance === undefined || client === undefined) return;
    const ended = await this.#passWhile(instance.instances.end({ socket: client.id }));
    if (!client.transport.isClosed) throw new Error(`${client.id} was ended, and is open`);
    if (ended.closed !== 1) throw new Error(`${ended.closed} sockets were ended, of one`);
  }
}
