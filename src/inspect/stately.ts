import type { StatelyInspectionEvent } from '@statelyai/inspect';
import type { AnyActorRef } from 'xstate';
import type { Journal } from '../journal/journal.ts';
import type { Registry } from '../routing/registry.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { PerSecond } from './per-second.ts';
import type { StatelyFilter } from './questions.ts';
import { type Inspectable, isInspectable, redact } from './redaction.ts';

export interface StatelyDeps {
  readonly instance: () => string;
  readonly registry: Pick<Registry, 'all' | 'observe'>;
  readonly journal: Pick<Journal, 'socket'> | undefined;
  readonly metrics: Pick<Metrics, 'count'>;
  readonly now: () => number;
  /** The package that makes Stately's form of a fact cannot be loaded. */
  onUnavailable(error: unknown): void;
}

/** What is shown, and how much of it. */
export interface StatelyStatus {
  readonly instance: string;
  /** Undefined: nothing. */
  readonly filter?: StatelyFilter | undefined;
  readonly sent: number;
  readonly dropped: number;
}

/** Facts on their way into Stately's form; beyond it they are dropped and counted. */
const MAX_PENDING = 1000;
const MAX_PER_SECOND = 2000;
/** Actors that a new reader is told of first. */
const MAX_ACTORS = 1000;

type OnFact = (fact: StatelyInspectionEvent) => void;
type Convert = (event: Inspectable) => void;

/**
 * What chosen actors do, in the form of Stately's inspector, redacted. It observes as long as it is switched on and
 * somebody reads; it holds nothing up, and what it cannot keep up with it drops.
 */
export class Stately {
  readonly #deps: StatelyDeps;
  readonly #rate: PerSecond;
  readonly #readers = new Set<OnFact>();
  /** Whether an actor is shown; asked once for each. */
  #shown = new WeakMap<object, boolean>();
  /** Actors of which all readers have been told that they exist. */
  #told = new WeakSet<object>();
  #filter: StatelyFilter | undefined;
  #stop: (() => void) | undefined;
  #pending = 0;
  #sent = 0;
  #dropped = 0;

  constructor(deps: StatelyDeps) {
    this.#deps = deps;
    this.#rate = new PerSecond(MAX_PER_SECOND, deps.now);
  }

  get status(): StatelyStatus {
    const filter = this.#filter;
    return {
      instance: this.#deps.instance(),
      ...(filter !== undefined && { filter }),
      sent: this.#sent,
      dropped: this.#dropped,
    };
  }

  /** Undefined: off. Those who read are told of the actors that are shown now. */
  set(filter: StatelyFilter | undefined): void {
    this.#filter = filter;
    this.#shown = new WeakMap();
    this.#told = new WeakSet();
    for (const reader of this.#readers) this.#tellOfAll(reader);
    this.#observe();
  }

  /** What it gives ends it. */
  read(onFact: OnFact): () => void {
    this.#readers.add(onFact);
    this.#tellOfAll(onFact);
    this.#observe();
    return () => {
      this.#readers.delete(onFact);
      this.#observe();
    };
  }

  close(): void {
    this.#readers.clear();
    this.#observe();
  }

  #observe(): void {
    const isWanted = this.#filter !== undefined && this.#readers.size > 0;
    if (!isWanted) {
      this.#stop?.();
      this.#stop = undefined;
      return;
    }
    if (this.#stop !== undefined) return;
    const convert = this.#converter((fact) => {
      for (const reader of this.#readers) reader(fact);
    });
    this.#stop = this.#deps.registry.observe((event) => {
      const actor = event.actorRef as AnyActorRef;
      if (!isInspectable(event) || !this.#isShown(actor)) return;
      if (this.#pending >= MAX_PENDING || !this.#rate.take()) return this.#drop();
      // Of one with a system of its own it is not told that it was made.
      if (event.type !== '@xstate.actor' && !this.#told.has(actor)) this.#announce(actor, convert);
      this.#told.add(actor);
      this.#pending += 1;
      convert(redact(event));
    });
  }

  /** Of those that are there already: they would never be told of again. Before anything else is told of them. */
  #tellOfAll(reader: OnFact): void {
    if (this.#filter === undefined) return;
    const convert = this.#converter(reader);
    let told = 0;
    for (const actor of this.#deps.registry.all()) {
      if (!this.#isShown(actor)) continue;
      told += 1;
      if (told > MAX_ACTORS) {
        this.#drop();
        continue;
      }
      this.#told.add(actor);
      this.#announce(actor, convert);
    }
  }

  #announce(actor: AnyActorRef, convert: Convert): void {
    this.#pending += 1;
    const { sessionId: rootId } = actor;
    convert(redact({ type: '@xstate.actor', rootId, actorRef: actor } as unknown as Inspectable));
  }

  /** Loaded only when it is wanted: it takes 50 ms, and brings three more packages. */
  #converter(onFact: OnFact): Convert {
    let early: Inspectable[] = [];
    let convert: Convert = (event) => void early.push(event);
    import('@statelyai/inspect').then(
      ({ createInspector }) => {
        const { inspect } = createInspector({
          send: (fact: StatelyInspectionEvent) => {
            this.#pending -= 1;
            this.#sent += 1;
            onFact(named(fact, this.#deps.instance()));
          },
        });
        convert = (event) => inspect.next?.(event);
        for (const event of early) convert(event);
        early = [];
      },
      (error: unknown) => this.#deps.onUnavailable(error),
    );
    return (event) => convert(event);
  }

  #isShown(actor: AnyActorRef): boolean {
    const known = this.#shown.get(actor);
    if (known !== undefined) return known;
    const isShown = this.#filter !== undefined && this.#matches(actor.id, this.#filter);
    // A socket may come to a channel later.
    if (isShown || this.#filter?.channel === undefined) this.#shown.set(actor, isShown);
    return isShown;
  }

  /** Actors are called `<feed>/socket:<id>`, `<feed>/channel:<name>`, `<feed>/reader:<feed>`, … */
  #matches(id: string, { socket, user, channel, sample }: StatelyFilter): boolean {
    const isAll = socket === undefined && user === undefined && channel === undefined;
    const [, kind, name = ''] = /^(?:[^:]*\/)?(socket|channel):(.*)$/s.exec(id) ?? [];
    if (kind === 'channel') return isAll ? sample === undefined : name === channel;
    if (kind !== 'socket') return isAll && sample === undefined;
    if (sample !== undefined && partOf(name) >= sample) return false;
    if (isAll || name === socket) return true;
    const record = this.#deps.journal?.socket(name);
    if (record === undefined) return false;
    if (user !== undefined && record.peer.user === user) return true;
    return channel !== undefined && record.subscriptions.some(({ channels }) => channels.includes(channel));
  }

  /** A reader was too slow for a fact. */
  dropped(): void {
    this.#drop();
  }

  #drop(): void {
    this.#dropped += 1;
    this.#deps.metrics.count('signalbox.inspection_dropped');
  }
}

/** Where a socket's id falls between 0 and 1: the same each time, so that one is shown whole or not at all. */
function partOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at += 1) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  return (hash >>> 0) / 2 ** 32;
}

const IDS = ['sessionId', 'rootId', 'parentId', 'sourceId'] as const;

/** Ids are only this process's: facts of several are read together. */
function named(fact: StatelyInspectionEvent, instance: string): StatelyInspectionEvent {
  const whole: Record<string, unknown> = { ...fact };
  for (const id of IDS) if (typeof whole[id] === 'string') whole[id] = `${instance}/${whole[id]}`;
  return whole as unknown as StatelyInspectionEvent;
}
