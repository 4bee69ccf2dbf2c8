import type { InspectionEvent } from 'xstate';

/** What is shown of actors: that they exist, what reaches them, and the state they are in. */
export type Inspectable = Extract<
  InspectionEvent,
  { readonly type: '@xstate.actor' | '@xstate.event' | '@xstate.snapshot' }
>;

export function isInspectable(event: InspectionEvent): event is Inspectable {
  return (
    event.type === '@xstate.actor' || event.type === '@xstate.event' || event.type === '@xstate.snapshot'
  );
}

/**
 * The same fact with nothing in it that a developer's screen should not show: of events their type, ids and
 * reasons; of snapshots their state and the numbers of their context. What is not known to be harmless is left
 * out, and with it every reference to a payload, so that waiting facts hold no memory.
 */
export function redact(event: Inspectable): Inspectable {
  const { rootId } = event;
  const actorRef = shownActor(event.actorRef as unknown as Actor);
  switch (event.type) {
    case '@xstate.actor':
      return { type: event.type, rootId, actorRef } as unknown as Inspectable;
    case '@xstate.event': {
      const sourceRef = event.sourceRef && { sessionId: event.sourceRef.sessionId };
      return {
        type: event.type,
        rootId,
        actorRef,
        sourceRef,
        event: shownEvent(event.event),
      } as unknown as Inspectable;
    }
    case '@xstate.snapshot': {
      const snapshot = shownSnapshot(event.snapshot);
      return {
        type: event.type,
        rootId,
        actorRef,
        event: shownEvent(event.event),
        snapshot,
      } as unknown as Inspectable;
    }
  }
}

interface Actor {
  readonly id: string;
  readonly sessionId: string;
  readonly logic?: { readonly config?: unknown };
  readonly _parent?: Actor;
  getSnapshot(): unknown;
}

/** What Stately's inspector reads of an actor; its snapshot is asked for when it has one. */
function shownActor(actor: Actor): unknown {
  return {
    id: actor.id,
    sessionId: actor.sessionId,
    logic: { config: actor.logic?.config },
    // oxlint-disable-next-line no-underscore-dangle -- XState's name, which the inspector reads
    _parent: actor._parent && { sessionId: actor._parent.sessionId },
    getSnapshot: () => shownSnapshot(actor.getSnapshot()),
  };
}

const isShown = (name: string): boolean =>
  name === 'id' || name === 'reason' || name === 'code' || name.endsWith('Id');

function shownEvent(event: { readonly type: string }): Record<string, unknown> {
  const shown: Record<string, unknown> = { type: event.type };
  for (const [name, value] of Object.entries(event)) {
    if (isShown(name) && (typeof value === 'string' || typeof value === 'number')) shown[name] = value;
    else if (name === 'batch' && hasSummary(value)) shown[name] = value.toJSON();
  }
  return shown;
}

/** A batch says itself what may be seen of it: how many entries, the first and the last id. */
function hasSummary(value: unknown): value is { toJSON(): unknown } {
  return typeof (value as { toJSON?: unknown } | undefined)?.toJSON === 'function';
}

function shownSnapshot(snapshot: unknown): Record<string, unknown> {
  if (typeof snapshot !== 'object' || snapshot === null) return { status: 'active' };
  const { status, value, context } = snapshot as { status?: unknown; value?: unknown; context?: unknown };
  return {
    status,
    ...(value !== undefined && { value }),
    ...(typeof context === 'object' && context !== null && { context: numbersOf(context) }),
  };
}

function numbersOf(context: object): Record<string, unknown> {
  const isPlain = ([name, value]: [string, unknown]): boolean =>
    typeof value === 'number' || typeof value === 'boolean' || (isShown(name) && typeof value === 'string');
  return Object.fromEntries(Object.entries(context).filter(isPlain));
}
