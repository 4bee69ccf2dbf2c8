import {
  type Actor,
  type ActorRefFrom,
  type AnyActorLogic,
  type AnyActorRef,
  createActor,
  fromTransition,
  type InputFrom,
  type InspectionEvent,
  type SnapshotFrom,
} from 'xstate';
import type { Clock } from '../clock.ts';

export interface RegistryDeps {
  readonly clock: Clock;
}

/** Told of everything that actors do. It must not throw. */
export type Observer = (event: InspectionEvent) => void;

interface Supervised {
  readonly id: string;
  /** Called once, when the actor is done or has failed; its error is `error`. */
  readonly onEnd?: (error: unknown) => void;
}

export interface StartOptions<Logic extends AnyActorLogic> extends Supervised {
  readonly input: InputFrom<Logic>;
}

/** Where an actor begins: at its initial state, with `input`, or at a state for which nothing is to be entered. */
export type MemberOptions<Logic extends AnyActorLogic> = Supervised &
  ({ readonly input: InputFrom<Logic> } | { readonly snapshot: SnapshotFrom<Logic> });

/**
 * How many sockets and channels share an actor system. A system of its own costs each of them 1.8 KB and a third of
 * its start; one for all of them would be scanned for timers whenever an actor ends (4.6 ms among 20,000).
 */
const GROUP_SIZE = 32;

/** Holds a group together, and does nothing: a machine would remember the id of every member for ever. */
const groupLogic = fromTransition((state: undefined) => state, undefined);

/**
 * The only place that creates actors, and supervises them until they end. None is a child that a machine knows of:
 * children of one machine cost each other (1.6 ms for a spawn among 5,000).
 */
export class Registry {
  readonly #deps: RegistryDeps;
  readonly #actors = new Set<AnyActorRef>();
  #group: AnyActorRef | undefined;
  #groupSize = 0;
  #observer: Observer | undefined;
  /** What ends the telling of each system. */
  #subscriptions: { unsubscribe(): void }[] = [];

  constructor(deps: RegistryDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#actors.size;
  }

  all(): Iterable<AnyActorRef> {
    return this.#actors;
  }

  /**
   * Tells an observer what every actor does from now on, until what it gives is called. It costs tens of microseconds
   * for each event of an actor, and nothing before and afterwards. There is one observer at a time.
   */
  observe(observer: Observer): () => void {
    if (this.#observer !== undefined) throw new Error('there is an observer already');
    this.#observer = observer;
    const group = this.#group === undefined ? [] : [this.#group];
    const systems = new Set([...this.#actors, ...group].map(({ system }) => system));
    for (const system of systems) this.#tellOf(system, observer);
    return () => {
      this.#observer = undefined;
      for (const subscription of this.#subscriptions.splice(0)) subscription.unsubscribe();
    };
  }

  /** Starts an actor with a system of its own. */
  start<Logic extends AnyActorLogic>(logic: Logic, options: StartOptions<Logic>): ActorRefFrom<Logic> {
    const { id, input, onEnd } = options;
    return this.#supervise(
      this.#root(createActor<AnyActorLogic>(logic, { id, input, clock: this.#deps.clock })),
      onEnd,
    );
  }

  /** Starts an actor of which there are many; it ends in its final state only. */
  startMember<Logic extends AnyActorLogic>(
    logic: Logic,
    { onEnd, ...options }: MemberOptions<Logic>,
  ): ActorRefFrom<Logic> {
    const parent = this.#nextGroup();
    return this.#supervise(createActor<AnyActorLogic>(logic, { ...options, parent }), onEnd);
  }

  /** Its observer stands before it starts, and has an `error`: without one a crash would reach the process. */
  #supervise<Logic extends AnyActorLogic>(
    actor: Actor<AnyActorLogic>,
    onEnd: Supervised['onEnd'],
  ): ActorRefFrom<Logic> {
    const release = (error?: unknown): void => {
      if (this.#actors.delete(actor)) onEnd?.(error);
    };
    this.#actors.add(actor);
    actor.subscribe({ error: release, complete: release });
    actor.start();
    return actor as unknown as ActorRefFrom<Logic>;
  }

  #nextGroup(): AnyActorRef {
    if (this.#group === undefined || this.#groupSize === GROUP_SIZE) {
      this.#group = this.#root(createActor(groupLogic, { clock: this.#deps.clock })).start();
      this.#groupSize = 0;
    }
    this.#groupSize += 1;
    return this.#group;
  }

  /** Before it starts: an observer is told of it, though not that it was made. */
  #root<Root extends AnyActorRef>(actor: Root): Root {
    if (this.#observer !== undefined) this.#tellOf(actor.system, this.#observer);
    return actor;
  }

  #tellOf(system: AnyActorRef['system'], observer: Observer): void {
    this.#subscriptions.push(system.inspect((event) => observer(event)));
  }
}
