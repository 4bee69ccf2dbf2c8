import { describe, expect, test } from '@jest/globals';
import { createActor } from 'xstate';
import { channelMachine } from '../../machines/channel.machine.ts';
import { readerMachine } from '../../machines/reader.machine.ts';
import { socketMachine } from '../../machines/socket.machine.ts';
import { systemMachine } from '../../machines/system.machine.ts';
import type { ChartNode } from '../../src/inspect/api.ts';
import { leavesOf } from '../../src/actors/machine-words.ts';
import { chartOf } from '../../src/inspect/chart.ts';

const all = (node: ChartNode): ChartNode[] => [node, ...node.states.flatMap(all)];
const find = (nodes: readonly ChartNode[], path: string): ChartNode => {
  const node = nodes.find((one) => one.path === path);
  if (node === undefined) throw new Error(`no ${path}`);
  return node;
};

describe('the chart of a machine', () => {
  test.each([socketMachine, channelMachine, readerMachine, systemMachine])(
    'has every state of $id, and no edge to one that it has not',
    (machine) => {
      const nodes = all(chartOf(machine).root);
      const paths = new Set(nodes.map(({ path }) => path));
      const { idMap } = machine as unknown as { idMap: ReadonlyMap<string, { path: readonly string[] }> };
      const own = [...idMap.values()].map(({ path }) => path.join('.'));
      expect([...paths].toSorted()).toEqual(own.toSorted());
      const named = nodes.flatMap(({ transitions, initial = '' }) => [
        initial,
        ...transitions.flatMap(({ targets }) => targets),
      ]);
      expect(named.filter((path) => !paths.has(path))).toEqual([]);
    },
  );

  test('names timers, ends of actors and guards as the source does', () => {
    const socket = all(chartOf(socketMachine).root);
    expect(find(socket, 'connecting').transitions).toContainEqual({
      event: 'after handshakeTimeout',
      targets: ['closing'],
      actions: ['setReason'],
    });
    const stale = find(socket, 'open.heartbeat.unanswered.stale');
    expect(stale.entry).toEqual(['suspendDelivery', 'raise delivery.fellBehind']);
    expect(find(socket, 'open').type).toBe('parallel');
    const reader = all(chartOf(readerMachine).root);
    expect(find(reader, 'connecting').transitions.map(({ event }) => event)).toEqual(['done', 'error']);
    const channel = all(chartOf(channelMachine).root);
    expect(find(channel, 'live').transitions).toContainEqual({
      event: 'always',
      targets: ['stale'],
      guard: 'not hasSubscribers',
      actions: [],
    });
  });
});

test('the leaves of a state are those of the chart', () => {
  expect(leavesOf({ open: { delivery: { replaying: 'blocked' }, heartbeat: 'idle' } })).toEqual([
    'open.delivery.replaying.blocked',
    'open.heartbeat.idle',
  ]);
  const actor = createActor(socketMachine, {
    input: {
      id: 'a',
      times: { handshakeTimeoutMs: 1000, responseTimeoutMs: 1, slowConsumerTimeoutMs: 1, closeTimeoutMs: 1 },
    },
  }).start();
  expect(leavesOf(actor.getSnapshot().value)).toEqual(['connecting']);
  actor.stop();
});
