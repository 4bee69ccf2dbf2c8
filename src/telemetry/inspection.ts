import type { StatelyInspectionEvent } from '@statelyai/inspect';
import type { InspectionEvent } from 'xstate';
import { type InspectionServer, startInspectionServer } from './inspection-server.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import { type Inspectable, isInspectable, redact } from './redaction.ts';

export interface InspectionOptions {
  /** Show what the actors do to Stately's inspector. */
  readonly stately: boolean;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  readonly metrics: Pick<Metrics, 'count'>;
  /** Of the loopback server; 0: any that is free. */
  readonly port?: number;
}

export interface Inspection {
  /** Given to every actor; undefined when nothing is inspected, which costs nothing. */
  readonly inspect: ((event: InspectionEvent) => void) | undefined;
  close(): Promise<void>;
}

/** Facts on their way to the inspector; beyond it they are dropped and counted. */
const MAX_PENDING = 1000;
/** Actors whose last state is kept for who connects later; the oldest goes first. */
const MAX_ACTORS = 1000;

/** What is known of an actor: how it began and what it last was. */
interface KnownActor {
  readonly actor: string;
  snapshot: string | undefined;
}

/**
 * Watches the actors, and shows what they do on a page of the loopback interface that can pass it on to Stately's
 * inspector. An observer must not hold anything up: it queues within bounds and drops beyond them.
 */
export function createInspection(options: InspectionOptions): Inspection {
  if (!options.stately) return { inspect: undefined, close: async () => {} };
  const { logger, metrics } = options;
  const known = new Map<string, KnownActor>();
  let pending = 0;
  let closed = false;
  let early: Inspectable[] = [];
  let convert: ((event: Inspectable) => void) | undefined;

  const drop = (): void => metrics.count('signalbox.inspection_dropped');
  const server: InspectionServer = startInspectionServer({
    port: options.port ?? 0,
    logger,
    onDropped: drop,
    history: function* () {
      for (const { actor, snapshot } of known.values()) {
        yield actor;
        if (snapshot !== undefined) yield snapshot;
      }
    },
  });

  const adapter = {
    send(event: StatelyInspectionEvent): void {
      pending -= 1;
      if (closed) return;
      const text = JSON.stringify(event);
      remember(event, text);
      server.send(text);
    },
  };
  // Loaded only when it is wanted: it takes 50 ms and brings three more packages.
  import('@statelyai/inspect').then(
    ({ createInspector }) => {
      const inspector = createInspector(adapter);
      convert = (event) => inspector.inspect.next?.(event);
      for (const event of early) convert(event);
      early = [];
    },
    (error: unknown) => {
      closed = true;
      early = [];
      logger.warn({ err: error }, 'Inspection is off: its package cannot be loaded');
    },
  );

  return {
    inspect(event) {
      if (closed || !isInspectable(event)) return;
      if (pending >= MAX_PENDING) return drop();
      pending += 1;
      const shown = redact(event);
      if (convert === undefined) early.push(shown);
      else convert(shown);
    },
    async close() {
      closed = true;
      known.clear();
      await server.close();
    },
  };

  function remember(event: StatelyInspectionEvent, text: string): void {
    if (event.type === '@xstate.actor') {
      if (known.size >= MAX_ACTORS) known.delete(known.keys().next().value as string);
      known.set(event.sessionId, { actor: text, snapshot: undefined });
      return;
    }
    if (event.type !== '@xstate.snapshot') return;
    const actor = known.get(event.sessionId);
    if (actor === undefined) return;
    if ((event.snapshot as { status?: string }).status === 'active') actor.snapshot = text;
    else known.delete(event.sessionId);
  }
}
