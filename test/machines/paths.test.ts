import { describe, expect, test } from '@jest/globals';
import type { AnyStateMachine, AnyStateNode, SnapshotFrom } from 'xstate';
import { getAdjacencyMap, getShortestPaths } from 'xstate/graph';
import { canaryMachine, type Look } from '../../machines/canary.machine.ts';
import { channelMachine } from '../../machines/channel.machine.ts';
import { heartbeatMachine } from '../../machines/heartbeat.machine.ts';
import { readerMachine } from '../../machines/reader.machine.ts';
import { socketMachine } from '../../machines/socket.machine.ts';
import { systemMachine } from '../../machines/system.machine.ts';
import { leaves, nextStep, type Step } from '../support/step.ts';

/** What can happen to a machine: the events of its type, its timers, and the ends of what it invokes. */
function happeningsOf({ machine, events, found = [undefined] }: Charted) {
  const own = machine.events
    .filter((type) => type.startsWith('xstate.'))
    .flatMap((type) => found.map((output) => ({ type, error: new Error('it failed'), output })));
  return [...events, ...own];
}

function look(standing: Look['standing']): Look {
  return { standing, progress: '1-0', position: '1-0', end: '2-0' };
}

interface Charted {
  readonly machine: AnyStateMachine;
  readonly input: unknown;
  readonly events: readonly { readonly type: string }[];
  /** What the actors that it invokes may answer; left out: nothing. */
  readonly found?: readonly unknown[];
  readonly end: string;
}

const times = { handshakeTimeoutMs: 1, responseTimeoutMs: 1, slowConsumerTimeoutMs: 1, closeTimeoutMs: 1 };
const socket: Charted = {
  machine: socketMachine.provide({ delays: { pageRetry: 1 } }),
  input: { id: 's', times },
  events: [
    { type: 'socket.opened' },
    { type: 'socket.close', reason: 'drain' } as { type: string },
    { type: 'transport.filled' },
    { type: 'transport.drained' },
    { type: 'transport.closed' },
    { type: 'ping.due', silentMs: 0 } as { type: string },
    { type: 'answer.received' },
    { type: 'credential.renewed', lifetimeMs: 1 } as { type: string },
    { type: 'page.failed' },
    { type: 'delivery.caughtUp' },
    { type: 'delivery.fellBehind' },
  ],
  end: 'closed',
};
const charts: readonly Charted[] = [
  socket,
  {
    machine: channelMachine.provide({ delays: { attachRetry: 1 } }),
    input: { id: 'c', gcIntervalMs: 1 },
    events: [
      { type: 'feed.attached' },
      { type: 'feed.failed' },
      { type: 'feed.lost' },
      { type: 'subscriber.joined' },
      { type: 'subscriber.left' },
      { type: 'page.requested' },
      { type: 'page.settled' },
      { type: 'channel.close' },
    ],
    end: 'collected',
  },
  {
    machine: readerMachine.provide({ delays: { backoff: 1 } }),
    input: { id: 'firehose', settleMs: 1 },
    events: [{ type: 'reader.stop' }, { type: 'reader.reconnect', error: 'deaf' } as { type: string }],
    end: 'stopped',
  },
  {
    machine: canaryMachine.provide({ delays: { interval: 1 } }),
    input: { id: 'native', toleranceMs: 1, blockMs: 1 },
    events: [{ type: 'reader.live' }, { type: 'canary.stop' }],
    found: [look('abreast'), look('behind'), look('away')],
    end: 'stopped',
  },
  {
    machine: heartbeatMachine.provide({ actions: { pingNext() {} } }),
    input: { beatMs: 1 },
    events: [{ type: 'heartbeat.stop' }],
    end: 'stopped',
  },
  {
    machine: systemMachine,
    input: { drainTimeoutMs: 1 },
    events: [{ type: 'system.stop' }, { type: 'actor.crashed' }],
    end: 'stopped',
  },
];

/** States are the same when their values and what their guards look at are. */
function traversal(chart: Charted) {
  return {
    input: chart.input,
    events: happeningsOf(chart),
    serializeState: ({ value, context }: SnapshotFrom<AnyStateMachine>) => {
      const { subscribers = 0, pages = 0 } = context as { subscribers?: number; pages?: number };
      return JSON.stringify([value, subscribers, pages]);
    },
    // A channel's counters have no upper bound, and nothing goes below zero that joined or asked before.
    filterEvents: ({ context }: SnapshotFrom<AnyStateMachine>, { type }: { type: string }) => {
      const { subscribers = 0, pages = 0 } = context as { subscribers?: number; pages?: number };
      if (type === 'subscriber.joined') return subscribers < 2;
      if (type === 'page.requested') return pages < 2;
      if (type === 'subscriber.left') return subscribers > 0;
      return type !== 'page.settled' || pages > 0;
    },
  } as never;
}

function innermostStates(node: AnyStateNode): string[] {
  const inner = Object.values(node.states);
  if (inner.length === 0) return [node.path.join('.')];
  return inner.flatMap((child) => innermostStates(child));
}

describe.each(charts)('every path of the $machine.id machine', (chart) => {
  const paths = getShortestPaths(chart.machine, traversal(chart));
  const ends = paths.filter(({ state }) => state.status === 'done');

  test('reaches every one of its states', () => {
    const reached = new Set(paths.flatMap(({ state }) => leaves(state.value).split(' ')));
    // Entered and left in one step.
    const transient = ['terminating'];
    const all = innermostStates(chart.machine.root).filter((state) => !transient.includes(state));
    expect([...reached].toSorted()).toEqual(all.toSorted());
  });

  test('can still come to its end', () => {
    expect(ends.length).toBeGreaterThan(0);
    for (const { state } of ends) expect(state.value).toBe(chart.end);
    for (const { state } of paths.filter((path) => path.state.status === 'active')) {
      const onward = getShortestPaths(chart.machine, {
        ...(traversal(chart) as object),
        fromState: state,
        toState: ({ status }: { status: string }) => status === 'done',
      } as never);
      expect([leaves(state.value), onward.length > 0]).toEqual([leaves(state.value), true]);
    }
  });
});

interface Edge {
  readonly from: Step<AnyStateMachine>;
  readonly event: { readonly type: string };
  readonly to: Step<AnyStateMachine>;
}

/** Every event in every state that can be reached. */
function edgesOf(chart: Charted): Edge[] {
  const reached = Object.values(getAdjacencyMap(chart.machine, traversal(chart)));
  return reached
    .filter(({ state }) => state.status === 'active')
    .flatMap(({ state, transitions }) => {
      const from = { snapshot: state, state: leaves(state.value), actions: [], delaysMs: [] };
      const taken = Object.values<{ readonly event: Edge['event'] }>(transitions);
      return taken.map(({ event }) => ({ from, event, to: nextStep(chart.machine, from, event as never) }));
    });
}

describe('every step of the socket machine', () => {
  const all = edgesOf(socket);
  /** A transport that is gone takes nothing and needs no end. */
  const edges = all.filter(({ event }) => event.type !== 'transport.closed');
  const isStale = (state: string) => state.includes('heartbeat.unanswered.stale');
  /** Nothing may be written then. */
  const isMute = (state: string) => !state.startsWith('open.') || isStale(state);

  test('keeps the delivery suspended exactly while it is stale or no longer open', () => {
    for (const { from, event, to } of edges) {
      let isSuspended = from.state !== 'connecting' && isMute(from.state);
      for (const action of to.actions) {
        if (action === 'suspendDelivery') isSuspended = true;
        if (action === 'resumeDelivery') isSuspended = false;
      }
      const isDue = to.state !== 'connecting' && isMute(to.state);
      expect([from.state, event.type, isSuspended]).toEqual([from.state, event.type, isDue]);
    }
    expect(edges.length).toBeGreaterThan(100);
  });

  test('pumps whenever it begins to catch up, and after it was stale, resumed before that', () => {
    const begins = edges.filter(({ from, to }) => {
      if (!to.state.includes('catchingUp') || isStale(to.state)) return false;
      return !from.state.includes('catchingUp') || isStale(from.state);
    });
    for (const { from, event, to } of begins) {
      const due = isStale(from.state) ? ['resumeDelivery', 'pump'] : ['pump'];
      const done = to.actions.filter((action) => action === 'pump' || action === 'resumeDelivery');
      expect([from.state, event.type, done]).toEqual([from.state, event.type, due]);
    }
    expect(begins.length).toBeGreaterThan(5);
  });

  test('closes or terminates its transport once on its way out', () => {
    for (const { from, to } of edges) {
      const ended = to.actions.filter((action) => ['closeTransport', 'terminateTransport'].includes(action));
      const isLeaving = to.state !== from.state && ['closing', 'closed'].includes(to.state);
      expect(ended).toHaveLength(isLeaving ? 1 : 0);
    }
  });

  test('ends it when its transport is gone, which it neither closes nor terminates again', () => {
    const gone = all.filter(({ event }) => event.type === 'transport.closed');
    for (const { to } of gone) {
      expect(to.state).toBe('closed');
      expect(to.actions).not.toContain('closeTransport');
      expect(to.actions).not.toContain('terminateTransport');
    }
    expect(gone.length).toBeGreaterThan(10);
  });
});
