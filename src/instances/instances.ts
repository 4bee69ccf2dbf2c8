import type { NativePrincipal } from '../auth/native-principal.ts';
import type { Broker, Revocation } from '../broker/ports.ts';
import type { Clock } from '../clock.ts';
import type { RawJson } from '../protocol/native/client-frame.ts';
import type { Sessions, TokenHolder } from '../protocol/native/sessions.ts';
import type { Target } from '../protocol/native/target.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type ControlMessage, decodeControlMessage, encodeControlMessage } from './control-message.ts';
import { ANSWER_TIMEOUT_MS, type Ended, Endings } from './endings.ts';
import { Presence } from './presence.ts';
import { RevokedTokens } from './revoked-tokens.ts';

export interface InstancesDeps {
  /** What this instance is called; no other one is, not even the one that this process was before. */
  readonly id: string;
  readonly broker: Pick<Broker, 'control' | 'revocations'>;
  /** The sockets of this instance. */
  readonly sessions: Pick<Sessions, 'of' | 'holdersOf'>;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** No token may last longer. */
  readonly maxTokenLifeMs: number;
  readonly random: () => number;
  readonly newId: () => string;
  readonly report: InstancesReport;
}

/** What an operator should hear of. */
export interface InstancesReport {
  present(): void;
  absent(error: unknown): void;
  /** An end that was asked for was done here, and whoever asked cannot be told. */
  answerFailed(error: unknown): void;
  malformed(): void;
}

/**
 * How far the clocks of those who sign tokens may be ahead. An end closes also the sockets whose tokens look as if they
 * came that much after it; one that is heard of late leaves those alone that have come back by then with later ones.
 */
const CLOCK_SKEW_MS = 60_000;

/** All instances of an installation, of which this process is one: what is said here reaches the sockets of each. */
export class Instances {
  readonly #deps: InstancesDeps;
  readonly #revoked: RevokedTokens;
  readonly #endings: Endings;
  readonly #presence: Presence;
  #isReady = false;
  #isPresent = false;
  /** It told the broker what that had lost, and has to tell the others. */
  #hasRestored = false;
  readonly #onPresent = new Set<() => void>();

  constructor(deps: InstancesDeps) {
    const { id, broker, clock, random, maxTokenLifeMs, report } = deps;
    this.#deps = deps;
    this.#revoked = new RevokedTokens({ now: () => clock.now(), maxTokenLifeMs });
    this.#endings = new Endings(clock);
    this.#presence = new Presence({
      id,
      control: broker.control,
      clock,
      random,
      hear: (sent) => this.#hear(sent),
      load: () => this.#load(),
      onPresent: () => {
        this.#isPresent = true;
        for (const resolve of this.#onPresent) resolve();
        report.present();
      },
      onAbsent: (error) => {
        this.#isPresent = false;
        report.absent(error);
      },
    });
  }

  /** What it is called among the others. */
  get id(): string {
    return this.#deps.id;
  }

  /** Those that are alive, this one among them once it has said so. Rejects when the broker is away. */
  living(): Promise<readonly string[]> {
    return this.#deps.broker.control.instances();
  }

  /** Listens to the others from now on, trying until that works. */
  start(): void {
    this.#presence.start();
  }

  /** Takes its leave of the others, as far as that can be done in a moment. */
  async close(): Promise<void> {
    this.#endings.close();
    await this.#presence.close();
  }

  /** Resolves once it hears the others; rejects when that takes longer than they have to answer. */
  whenPresent(): Promise<void> {
    if (this.#isPresent) return Promise.resolve();
    const { clock } = this.#deps;
    return new Promise((resolve, reject) => {
      const present = (): void => {
        clock.clearTimeout(timer);
        this.#onPresent.delete(present);
        resolve();
      };
      const timer = clock.setTimeout(() => {
        this.#onPresent.delete(present);
        reject(new Error('this instance does not hear the others'));
      }, ANSWER_TIMEOUT_MS);
      this.#onPresent.add(present);
    });
  }

  /** Whether it is known whose tokens are revoked; once it is, it stays so. */
  isReady(): boolean {
    return this.#isReady;
  }

  /** Whether the token of a principal was revoked after it was issued; undefined: that is not known yet. */
  isRevoked(principal: Pick<NativePrincipal, 'user' | 'session' | 'issuedAtMs'>): boolean | undefined {
    return this.#isReady ? this.#revoked.has(principal) : undefined;
  }

  /** The broker is not what it was: it lost data, or is another one. */
  brokerChanged(): void {
    this.#presence.reload();
  }

  /**
   * Tells sockets something, on whatever instance they are. Resolves once the broker has it: that is not kept for who
   * is not there. Rejects when it is not known to have it.
   */
  async tell(target: Target, topic: string, data?: RawJson): Promise<void> {
    await this.#send({ kind: 'tell', from: this.#deps.id, target, topic, data });
  }

  /**
   * Ends sockets, on whatever instance they are, so that their clients do not come back. `word`: what they are told, as
   * `isWord` has it. Of a user or a session, also revokes all tokens that were issued until now, here and on instances
   * that start later. Rejects when the broker is not known to have it: do it again.
   */
  async end(target: Target, word?: string): Promise<Ended> {
    const { id: from, broker, clock, newId } = this.#deps;
    const revocation = revocationOf(target, clock.now());
    if (revocation !== undefined) {
      await broker.revocations.add([revocation], this.#deps.maxTokenLifeMs);
      this.#revoked.add(revocation);
    }
    // Those that come after this have been told by the broker.
    const living = await broker.control.instances();
    const id = newId();
    const ended = this.#endings.begin(id, [from, ...living]);
    try {
      await this.#send({ kind: 'end', from, id, target, word, revokedAtMs: revocation?.atMs });
    } catch (error) {
      this.#endings.giveUp(id);
      throw error;
    }
    return ended;
  }

  #hear(sent: unknown): void {
    const message = decodeControlMessage(sent);
    if (message === 'unknown') return;
    if (message === 'malformed') return this.#deps.report.malformed();
    if (message.kind === 'tell') this.#tellOwn(message);
    else if (message.kind === 'end') this.#endOwn(message);
    else if (message.kind === 'ended') this.#endings.answered(message.id, message.from, message.closed);
    else if (message.from !== this.#deps.id) this.#presence.reload();
  }

  #tellOwn({ target, topic, data }: ControlMessage & { kind: 'tell' }): void {
    const { metrics } = this.#deps;
    for (const session of this.#deps.sessions.of(target)) {
      const told = session.tell(topic, data);
      if (told === 'ok') metrics.count('signalbox.tells_delivered');
      else metrics.count('signalbox.tells_not_delivered', 1, { reason: told });
    }
  }

  #endOwn({ id, target, word, revokedAtMs }: ControlMessage & { kind: 'end' }): void {
    const { id: from, report } = this.#deps;
    const revocation = revokedAtMs === undefined ? undefined : revocationOf(target, revokedAtMs);
    if (revocation !== undefined) this.#revoked.add(revocation);
    const isMeant = ({ principal }: TokenHolder): boolean =>
      revocation === undefined || principal.issuedAtMs <= revocation.atMs + CLOCK_SKEW_MS;
    const ended = this.#deps.sessions
      .holdersOf(target)
      .filter((session) => isMeant(session) && session.end(word));
    this.#send({ kind: 'ended', from, id, closed: ended.length }).catch(report.answerFailed);
  }

  /** Reads whose tokens are revoked, and ends the sockets that this is news for. */
  async #load(): Promise<void> {
    const { broker, sessions, maxTokenLifeMs } = this.#deps;
    const stored = (await broker.revocations.all()).toSorted((a, b) => a.atMs - b.atMs);
    const inBroker = new RevokedTokens({ now: () => this.#deps.clock.now(), maxTokenLifeMs });
    for (const revocation of stored) inBroker.add(revocation);
    // A broker that lost its data is told again, for those that start later; and so are those that have started since.
    const lost = this.#revoked.all().filter((revocation) => !inBroker.includes(revocation));
    if (lost.length > 0) {
      await broker.revocations.add(lost, maxTokenLifeMs);
      this.#hasRestored = true;
    }
    if (this.#hasRestored) await this.#send({ kind: 'restored', from: this.#deps.id });
    this.#hasRestored = false;
    for (const revocation of stored) this.#revoked.add(revocation);
    this.#isReady = true;
    for (const holder of sessions.holdersOf({ everyone: true })) {
      if (this.#revoked.has(holder.principal)) holder.end();
    }
  }

  async #send(message: ControlMessage): Promise<void> {
    await this.#deps.broker.control.send(encodeControlMessage(message));
  }
}

function revocationOf(target: Target, atMs: number): Revocation | undefined {
  if ('user' in target) return { of: 'user', id: target.user, atMs };
  if ('session' in target) return { of: 'session', id: target.session, atMs };
  return undefined;
}
