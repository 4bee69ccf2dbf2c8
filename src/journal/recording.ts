import { z } from 'zod';
import type { SocketEvent } from '../../machines/socket.machine.ts';
import type { SocketJournal } from './socket-journal.ts';
import { DATUM_NAME, type Step } from './steps.ts';

const MAX_STEPS = 100_000;

const ms = z.number().min(0);
const states = z.array(z.string().min(1)).min(1);

/** No other text of a file becomes an event: XState has some of its own. */
const EVENTS = [
  'socket.opened',
  'socket.close',
  'credential.renewed',
  'ping.due',
  'transport.filled',
  'transport.drained',
  'transport.closed',
  'answer.received',
  'page.failed',
  'delivery.caughtUp',
  'delivery.fellBehind',
] as const satisfies readonly SocketEvent['type'][];

/** What a step's event brought, by the machine's names for it. */
const step = z.strictObject({
  /** Since the socket was opened. */
  atMs: ms,
  /** The type of the machine's event; a timer's as XState has it. */
  event: z.union([z.enum(EVENTS), z.string().regex(/^xstate\.after\.[a-zA-Z]+\.socket(\.[a-zA-Z]+)+$/)]),
  /** Of `credential.renewed`. */
  lifetimeMs: z.number().optional(),
  /** Of `ping.due`: since the last answer. */
  silentMs: z.number().optional(),
  /** Of `socket.close`. */
  reason: z.string().optional(),
  /** Of an answer: since its ping, which is no step of its own. */
  roundTripMs: ms.optional(),
  /** Of an answer: pings that were answered in a row, of which this is the last. */
  times: z.int().min(1).optional(),
  /** The machine's innermost states afterwards. */
  states,
});

/**
 * What one socket's machine did, as a file: what reached it, when, and where it was then. Nothing of it says who the
 * client is or what it was sent.
 */
const recordingSchema = z.strictObject({
  version: z.literal(1),
  machine: z.literal('socket'),
  socket: z.string(),
  transport: z.enum(['websocket', 'sse', 'raw']),
  protocol: z.enum(['superset', 'native', 'pubsub']),
  openedAtMs: ms,
  /** The delays of the configuration that the machine knows. */
  times: z.strictObject({
    handshakeTimeoutMs: ms,
    responseTimeoutMs: ms,
    slowConsumerTimeoutMs: ms,
    closeTimeoutMs: ms,
  }),
  start: z.strictObject({
    /** Where the machine was before the first step. */
    states,
    /** Since the socket was opened; else steps before the first one are no longer known. */
    isWhole: z.boolean(),
  }),
  steps: z.array(step).max(MAX_STEPS),
});

export type Recording = z.output<typeof recordingSchema>;
export type RecordedStep = Recording['steps'][number];

/** Reads a recording; throws, saying what is wrong with it and where. */
export function parseRecording(text: string): Recording {
  const result = recordingSchema.safeParse(JSON.parse(text));
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`);
  throw new Error(faults.join('; '));
}

/** What is kept of a socket's machine, to be run again elsewhere. */
export function recordingOf(socket: SocketJournal): Recording {
  const { id, peer, openedAtMs, times, start, isWhole, steps } = socket;
  const { handshakeTimeoutMs, responseTimeoutMs, slowConsumerTimeoutMs, closeTimeoutMs } = times;
  return {
    version: 1,
    machine: 'socket',
    socket: id,
    transport: peer.transport,
    protocol: peer.protocol,
    openedAtMs,
    times: { handshakeTimeoutMs, responseTimeoutMs, slowConsumerTimeoutMs, closeTimeoutMs },
    start: { states: [...start], isWhole },
    steps: steps.map(recordedStep),
  };
}

function recordedStep({ sinceMs, event, datum, to, times }: Step): RecordedStep {
  const name = DATUM_NAME[event];
  return {
    atMs: sinceMs,
    event,
    ...(name !== undefined && datum !== undefined && { [name]: datum }),
    ...(times > 0 && { times }),
    states: [...to],
  };
}
