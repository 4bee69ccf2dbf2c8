import { type ActionArgs, type Actor, createActor, type StateValue } from 'xstate';
import {
  firstContext,
  type SocketContext,
  type SocketEvent,
  socketMachine,
} from '../../machines/socket.machine.ts';
import { eventName, leavesOf } from '../actors/machine-words.ts';
import type { RecordedStep, Recording } from './recording.ts';
import { ReplayClock } from './replay-clock.ts';

/** A step that was run again. */
export interface ReplayedStep {
  readonly atMs: number;
  /** As people know it: a timer's is `after` and its name. */
  readonly event: string;
  /** Where the machine was. */
  readonly recorded: readonly string[];
  /** Where it is now. */
  readonly replayed: readonly string[];
}

export interface Replayed {
  /** Up to the first one that differs. */
  readonly steps: readonly ReplayedStep[];
  /** Undefined: all are the same. */
  readonly difference: ReplayedStep | undefined;
}

/** A timer may be this much early, by the rounding of clocks, … */
const EARLY_MS = 5;
/** … and this late: one that did not run by then would not have. */
const LATE_MS = 1_000;
/** A delay that nothing in the recording ends. */
const NEVER_MS = 2 ** 40;

const AFTER = 'xstate.after.';
const RETRY = `${AFTER}pageRetry.`;

/**
 * Runs what a socket's machine was told once more, through the machine as it is now and under a clock of its own, and
 * compares where it is after each step.
 */
export function replayRecording(recording: Recording): Replayed {
  const clock = new ReplayClock();
  /** What is still to come. */
  const left = [...recording.steps];
  const actor = start(recording, clock, left);
  /** States that have not been left since the beginning: their timers were started before it. */
  const untouched = new Set(recording.start.isWhole ? [] : recording.start.states);
  const steps: ReplayedStep[] = [];
  for (let step = left.shift(); step !== undefined; step = left.shift()) {
    run(actor, clock, step, untouched);
    const replayed = leavesOf(actor.getSnapshot().value);
    for (const state of untouched) if (!replayed.includes(state)) untouched.delete(state);
    const done = { atMs: step.atMs, event: eventName(step.event), recorded: step.states, replayed };
    steps.push(done);
    if (replayed.join(' ') !== step.states.join(' ')) return { steps, difference: done };
  }
  return { steps, difference: undefined };
}

type Delay = (args: ActionArgs<SocketContext, SocketEvent, SocketEvent>, params: unknown) => number;
type Delays = Readonly<Record<string, Delay>> & {
  readonly handshakeTimeout: Delay;
  readonly responseTimeout: Delay;
  readonly slowConsumerTimeout: Delay;
  readonly closeTimeout: Delay;
  readonly credentialLifetime: Delay;
};

/** Nothing is acted on: what that brought about is in the recording. */
const nothing = (): void => {};

function start(
  recording: Recording,
  clock: ReplayClock,
  left: readonly RecordedStep[],
): Actor<typeof socketMachine> {
  const { socket: id, times, start: begin } = recording;
  const { handshakeTimeout, responseTimeout, slowConsumerTimeout, closeTimeout, credentialLifetime } =
    socketMachine.implementations.delays as unknown as Delays;
  // By chance: as long as it took.
  const pageRetry = (): number => {
    const retry = left.find(({ event }) => event.startsWith(RETRY));
    return retry === undefined ? NEVER_MS : retry.atMs - clock.now();
  };
  const named = (name: string, delay: Delay): Delay => {
    return (args, params) => {
      clock.asked(name);
      return delay(args, params);
    };
  };
  const machine = socketMachine.provide({
    delays: {
      handshakeTimeout: named('handshakeTimeout', handshakeTimeout),
      responseTimeout: named('responseTimeout', responseTimeout),
      slowConsumerTimeout: named('slowConsumerTimeout', slowConsumerTimeout),
      closeTimeout: named('closeTimeout', closeTimeout),
      credentialLifetime: named('credentialLifetime', credentialLifetime),
      pageRetry: named('pageRetry', pageRetry),
    },
    actions: {
      pump: nothing,
      suspendDelivery: nothing,
      resumeDelivery: nothing,
      sendPing: nothing,
      closeTransport: nothing,
      terminateTransport: nothing,
    },
  });
  const input = { id, times };
  const value = valueOf(begin.states);
  // Its first timer runs from its beginning, which a state that is resolved has not.
  if (begin.isWhole && value === 'connecting') return createActor(machine, { input, clock }).start();
  const snapshot = machine.resolveState({ value, context: firstContext(input) });
  return createActor(machine, { input, snapshot, clock }).start();
}

function run(
  actor: Actor<typeof socketMachine>,
  clock: ReplayClock,
  step: RecordedStep,
  untouched: ReadonlySet<string>,
): void {
  const { atMs, event } = step;
  while (clock.runNext(atMs - LATE_MS));
  if (event.startsWith(AFTER)) {
    clock.goTo(atMs);
    const name = event.split('.')[2];
    if (clock.runNext(atMs + EARLY_MS, name)) return;
    if (isTimerOf(event, untouched)) actor.send({ type: event } as never);
    return;
  }
  if (step.times !== undefined) {
    clock.goTo(atMs - (step.roundTripMs ?? 0));
    actor.send({ type: 'ping.due', silentMs: 0 });
  }
  clock.goTo(atMs);
  const { lifetimeMs, silentMs, reason } = step;
  actor.send({ type: event, lifetimeMs, silentMs, reason } as unknown as SocketEvent);
}

/** Whether an event is of a timer of one of these states, or of a state that they are in. */
function isTimerOf(event: string, states: ReadonlySet<string>): boolean {
  const node = /^xstate\.after\.[^.]+\.socket\.(.+)$/.exec(event)?.[1];
  return node !== undefined && [...states].some((state) => state === node || state.startsWith(`${node}.`));
}

/** A state value of its leaves. */
function valueOf(leaves: readonly string[]): StateValue {
  const [only] = leaves;
  if (leaves.length === 1 && only !== undefined && !only.includes('.')) return only;
  const groups = new Map<string, string[]>();
  for (const leaf of leaves) {
    const dot = leaf.indexOf('.');
    const key = dot < 0 ? leaf : leaf.slice(0, dot);
    groups.set(key, [...(groups.get(key) ?? []), leaf.slice(dot + 1)]);
  }
  return Object.fromEntries([...groups].map(([key, inner]) => [key, valueOf(inner)]));
}
