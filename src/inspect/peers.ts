import type { EventLog, Subscriber } from '../broker/ports.ts';
import { type Clock, fullJitterMs, within } from '../clock.ts';
import type { Gathered } from './api.ts';
import { type Question, question } from './questions.ts';

export interface PeersDeps {
  /** Of this process among the instances of the installation. */
  readonly id: string;
  /** Undefined: there are no others. Plain channels: an answer that nobody waits for any more is kept nowhere. */
  readonly line: Pick<EventLog, 'subscribe' | 'publish'> | undefined;
  /** Before the names of the channels. */
  readonly prefix: string;
  /** The instances that are alive, this one included. */
  living(): Promise<readonly string[]>;
  /** Of this process, asked by `from`. Undefined: it has nothing to say to that. */
  answer(asked: Question, from: string): Promise<unknown>;
  /** A line of something that this process watches elsewhere. */
  heard(watch: string, line: unknown): void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly newId: () => string;
  /** It does not hear the others, and tries again: told once until it does. */
  onAbsent(error: unknown): void;
  /** A question could not be answered: a bug, or an answer that could not be sent. */
  onFailed(error: unknown): void;
}

/** A question on its way. */
interface Asking {
  readonly answers: unknown[];
  readonly waitingFor: Set<string>;
  finish(): void;
}

/** What is said over the line. */
type Said =
  | { readonly kind: 'asked'; readonly from: string; readonly id: string; readonly question: unknown }
  | { readonly kind: 'answered'; readonly from: string; readonly id: string; readonly answer?: unknown }
  | { readonly kind: 'watched'; readonly from: string; readonly id: string; readonly line: unknown };

/** One that lives takes some milliseconds, and somebody looks at a screen meanwhile. */
const ANSWER_TIMEOUT_MS = 1_500;
const BACKOFF = { baseMs: 200, capMs: 5_000 };

/** The other processes of the installation, as far as they can be asked about themselves. */
export class Peers {
  readonly #deps: PeersDeps;
  readonly #askings = new Map<string, Asking>();
  #subscriber: Subscriber | undefined;
  #isClosed = false;
  #failures = 0;
  #isAbsent = false;
  #timer: unknown;

  constructor(deps: PeersDeps) {
    this.#deps = deps;
  }

  /** Listens, trying until that works. */
  start(): void {
    if (this.#deps.line !== undefined) void this.#listen();
  }

  close(): void {
    this.#isClosed = true;
    this.#deps.clock.clearTimeout(this.#timer);
    this.#subscriber?.close();
    for (const asking of this.#askings.values()) asking.finish();
  }

  /** Asks every process, this one too. Never rejects: who does not answer is named. */
  async ask<Answer>(asked: Question): Promise<Gathered<Answer>> {
    const { line, answer, onFailed } = this.#deps;
    const others = line === undefined ? { answers: [], unanswered: [] } : this.#askOthers(line, asked);
    const mine = await answer(asked, this.#deps.id).catch((error: unknown) => {
      onFailed(error);
      return undefined;
    });
    const { answers, unanswered } = await others;
    const given = mine === undefined ? answers : [mine, ...answers];
    return { answers: given as Answer[], unanswered };
  }

  /** To whoever watches something here. */
  sendLine(to: string, watch: string, line: unknown): void {
    this.#say(to, { kind: 'watched', from: this.#deps.id, id: watch, line });
  }

  async #askOthers(line: NonNullable<PeersDeps['line']>, asked: Question): Promise<Gathered<unknown>> {
    const { id: from, living, newId, prefix, clock } = this.#deps;
    const asking = living().catch(() => undefined);
    const instances = await within(clock, ANSWER_TIMEOUT_MS, asking);
    if (instances === undefined) {
      return { answers: [], unanswered: ['others, if there are any: the broker cannot be asked'] };
    }
    const others = instances.filter((instance) => instance !== from);
    if (others.length === 0 || this.#isClosed) return { answers: [], unanswered: [] };
    const id = newId();
    return new Promise((resolve) => {
      const answers: unknown[] = [];
      const waitingFor = new Set(others);
      const finish = (): void => {
        clock.clearTimeout(timer);
        this.#askings.delete(id);
        resolve({ answers, unanswered: [...waitingFor].toSorted() });
      };
      const timer = clock.setTimeout(finish, ANSWER_TIMEOUT_MS);
      this.#askings.set(id, { answers, waitingFor, finish });
      const said: Said = { kind: 'asked', from, id, question: asked };
      line.publish(`${prefix}$ask`, encoded(said)).catch(finish);
    });
  }

  async #listen(): Promise<void> {
    const { line, prefix, id, onAbsent } = this.#deps;
    try {
      this.#subscriber = await line?.subscribe([`${prefix}$ask`, `${prefix}$answer:${id}`], {
        message: (_, payload) => this.#hear(payload),
        lost: () => this.#listenAgain(),
      });
      this.#failures = 0;
      this.#isAbsent = false;
      if (this.#isClosed) this.#subscriber?.close();
    } catch (error) {
      if (!this.#isAbsent) onAbsent(error);
      this.#isAbsent = true;
      this.#listenAgain();
    }
  }

  #listenAgain(): void {
    const { clock, random } = this.#deps;
    if (this.#isClosed) return;
    this.#subscriber = undefined;
    this.#failures += 1;
    const delayMs = fullJitterMs(this.#failures, { ...BACKOFF, random });
    this.#timer = clock.setTimeout(() => void this.#listen(), delayMs);
  }

  #hear(payload: Buffer): void {
    const said = decoded(payload);
    if (said === undefined || said.from === this.#deps.id) return;
    if (said.kind === 'asked') void this.#answerOther(said);
    else if (said.kind === 'watched') this.#deps.heard(said.id, said.line);
    else {
      const asking = this.#askings.get(said.id);
      if (asking?.waitingFor.delete(said.from) !== true) return;
      if (said.answer !== undefined && said.answer !== null) asking.answers.push(said.answer);
      if (asking.waitingFor.size === 0) asking.finish();
    }
  }

  async #answerOther({ from: to, id, question: asked }: Said & { kind: 'asked' }): Promise<void> {
    const { id: from, answer, onFailed } = this.#deps;
    // One of a later version asks what this one does not know: it is answered that there is nothing.
    const read = question.safeParse(asked);
    const given = read.success
      ? await answer(read.data, to).catch((error: unknown) => {
          onFailed(error);
          return undefined;
        })
      : undefined;
    this.#say(to, { kind: 'answered', from, id, answer: given });
  }

  #say(to: string, said: Said): void {
    const { line, prefix, onFailed } = this.#deps;
    line?.publish(`${prefix}$answer:${to}`, encoded(said)).catch(onFailed);
  }
}

const encoded = (said: Said): Buffer => Buffer.from(JSON.stringify(said));

function decoded(payload: Buffer): Said | undefined {
  try {
    const said = JSON.parse(payload.toString()) as Partial<Said> | null;
    const isSaid = typeof said?.from === 'string' && typeof said.id === 'string';
    return isSaid ? (said as Said) : undefined;
  } catch {
    return undefined;
  }
}
