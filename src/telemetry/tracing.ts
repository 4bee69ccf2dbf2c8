import {
  type Attributes,
  context,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { StreamId } from '../event/stream-id.ts';
import type { Traces } from '../routing/traces.ts';
import { isReservedChannel } from '../protocol/native/names.ts';
import { parseTraceparent, traceparentOf } from './trace-context.ts';

/** What is published, as far as a span tells of it. */
interface Traceable {
  readonly channel: string;
  readonly data: Buffer;
  /** Of the caller, in; of the span that publishes, out. */
  readonly traceparent?: string | undefined;
}

type PublishOutcome = { readonly id: StreamId } | { readonly error: Error };

/** Spans of what goes through here, for the SDK of OpenTelemetry that the process runs with; without one, nothing. */
export interface Tracing extends Traces {
  /**
   * Publishes within a producer span, whose context goes into each publication; without an SDK, the caller's. The
   * caller's is that of the active span, and else what the first publication brings.
   */
  publish<Publication extends Traceable, Outcome extends PublishOutcome>(
    publications: readonly Publication[],
    run: (publications: readonly Publication[]) => Promise<readonly Outcome[]>,
  ): Promise<readonly Outcome[]>;
}

const NAME = 'signalbox';

/** Names are those of OpenTelemetry's semantic conventions for messaging. */
export function createTracing(): Tracing {
  // Whichever SDK is registered, before this or after, is asked at each span.
  const tracer = trace.getTracer(NAME);
  /** An SDK that throws must not stop an event. */
  const start = (...about: Parameters<typeof tracer.startSpan>): Span => {
    try {
      return tracer.startSpan(...about);
    } catch {
      return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
    }
  };

  return {
    async publish(publications, run) {
      const [first] = publications;
      if (first === undefined) return run(publications);
      const span = start(
        nameOf('publish', first.channel),
        { kind: SpanKind.PRODUCER, attributes: attributesOf('publish', 'send', first.channel) },
        parentOf(first.traceparent),
      );
      if (span.isRecording()) {
        span.setAttribute(
          'messaging.message.body.size',
          publications.reduce((sum, { data }) => sum + data.length, 0),
        );
        if (publications.length > 1) span.setAttribute('messaging.batch.message_count', publications.length);
      }
      const spanContext = span.spanContext();
      const traceparent = isSpanContextValid(spanContext) ? traceparentOf(spanContext) : undefined;
      try {
        const outcomes = await run(publications.map((one) => ({ ...one, traceparent })));
        for (const outcome of outcomes) if ('error' in outcome) fail(span, outcome.error);
        const [only] = outcomes;
        if (outcomes.length === 1 && only !== undefined && 'id' in only) {
          span.setAttribute('messaging.message.id', only.id);
        }
        return outcomes;
      } catch (error) {
        fail(span, error);
        throw error;
      } finally {
        end(span);
      }
    },

    delivering({ id, channel, subscriptions, traceparent }) {
      // The rest takes 2.5 µs, also where nothing comes of it.
      if (!hasSdk()) return undefined;
      const creation = parseTraceparent(traceparent);
      if (creation === undefined) return undefined;
      const span = start(
        nameOf('deliver', channel),
        {
          kind: SpanKind.CONSUMER,
          links: [{ context: creation }],
          attributes: {
            ...attributesOf('deliver', 'process', channel),
            'messaging.message.id': id,
            'signalbox.subscriptions': subscriptions,
          },
        },
        // One event each, so it may be a child of what it is linked to: the whole way is one trace.
        trace.setSpanContext(ROOT_CONTEXT, creation),
      );
      return () => end(span);
    },
  };
}

/** Whether one is registered; an API that is another copy than ours is one that somebody registered. */
function hasSdk(): boolean {
  const provider = trace.getTracerProvider();
  return !(provider instanceof ProxyTracerProvider) || provider.getDelegateTracer(NAME) !== undefined;
}

function parentOf(traceparent: string | undefined) {
  const active = context.active();
  if (trace.getSpan(active) !== undefined) return active;
  const remote = parseTraceparent(traceparent);
  return remote === undefined ? active : trace.setSpanContext(active, remote);
}

const RESERVED = /^(user|session):.*/;

/** Of a user's or a session's own channel nothing but that it is one: names of spans are few, and ids are personal. */
const placeOf = (channel: string): string => channel.replace(RESERVED, '$1:{id}');

const nameOf = (operation: string, channel: string): string => `${operation} ${placeOf(channel)}`;

function attributesOf(operation: string, type: 'send' | 'process', channel: string): Attributes {
  return {
    'messaging.system': 'signalbox',
    'messaging.operation.name': operation,
    'messaging.operation.type': type,
    ...(isReservedChannel(channel)
      ? { 'messaging.destination.template': placeOf(channel) }
      : { 'messaging.destination.name': channel }),
  };
}

function end(span: Span): void {
  try {
    span.end();
  } catch {
    // What its processors do is the SDK's affair.
  }
}

function fail(span: Span, error: unknown): void {
  const { name, code } = error instanceof Error ? (error as NodeJS.ErrnoException) : { name: 'Error' };
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.setAttribute('error.type', code ?? name);
}
