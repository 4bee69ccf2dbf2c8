import { describe, expect, test } from '@jest/globals';
import type { AnyActorLogic, AnyStateMachine } from 'xstate';
import { channelMachine } from '../../machines/channel.machine.ts';
import { heartbeatMachine } from '../../machines/heartbeat.machine.ts';
import { readerMachine } from '../../machines/reader.machine.ts';
import { socketMachine } from '../../machines/socket.machine.ts';
import { isStub, stub } from '../../machines/stub.ts';
import { systemMachine } from '../../machines/system.machine.ts';
import { createSystemLogic } from '../../src/actors/system.ts';
import { Registry } from '../../src/routing/registry.ts';
import { createCore } from '../support/core.ts';

/** The names of what a machine cannot do yet. */
function stubsOf({ implementations }: AnyStateMachine): string[] {
  const { actions, delays, guards, actors } = implementations as unknown as Record<
    string,
    Record<string, unknown>
  >;
  const invoked = Object.entries(actors ?? {}).map(
    ([name, logic]) => [name, (logic as { config?: unknown }).config] as const,
  );
  const all = [...Object.entries({ ...actions, ...delays, ...guards }), ...invoked];
  return all.filter(([, implementation]) => isStub(implementation)).map(([name]) => name);
}

/** Keeps every machine that it is given to start. */
class Witness extends Registry {
  readonly machines = new Map<string, AnyStateMachine>();

  override start: Registry['start'] = (logic, options) => {
    this.#keep(logic);
    return super.start(logic, options);
  };

  override startMember: Registry['startMember'] = (logic, options) => {
    this.#keep(logic);
    return super.startMember(logic, options);
  };

  #keep(logic: AnyActorLogic): void {
    const { id } = logic as unknown as { id?: string };
    if (id !== undefined) this.machines.set(id, logic as AnyStateMachine);
  }
}

describe('a stub', () => {
  test('says what was not provided', () => expect(stub('sendPing')).toThrow('not provided: sendPing'));

  test.each([
    [
      socketMachine,
      [
        'closeTransport',
        'pageRetry',
        'pump',
        'resumeDelivery',
        'sendPing',
        'suspendDelivery',
        'terminateTransport',
      ],
    ],
    [channelMachine, ['attach', 'attachRetry', 'detach']],
    [readerMachine, ['backoff', 'catchUp', 'connect', 'disconnect', 'follow', 'reportLive', 'reportStale']],
    [heartbeatMachine, ['pingNext']],
    [systemMachine, ['drain', 'listen', 'reportDraining', 'reportListening', 'shutDown', 'startReader']],
  ])('stands for everything that acts in the $id machine', (machine, names) => {
    expect(stubsOf(machine).toSorted()).toEqual(names);
  });
});

describe('a composed machine has no stub left:', () => {
  test('socket, channel, reader and heartbeat', async () => {
    let witness: Witness | undefined;
    const core = createCore({
      registry(clock) {
        witness = new Witness({ clock });
        return witness;
      },
    });
    await core.start();
    core.open();
    const machines = [...(witness?.machines ?? [])];
    expect(machines.map(([id]) => id).toSorted()).toEqual(['channel', 'heartbeat', 'reader', 'socket']);
    for (const [id, machine] of machines) expect([id, stubsOf(machine)]).toEqual([id, []]);
  });

  test('system', () => {
    const nothing = async (): Promise<void> => {};
    const logic = createSystemLogic({
      startReader() {},
      listen: nothing,
      drain: nothing,
      shutDown: nothing,
      onListening() {},
      onDraining() {},
    });
    expect(stubsOf(logic)).toEqual([]);
  });
});
