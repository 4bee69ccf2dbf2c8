import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { assign, createActor, setup } from 'xstate';
import { createRouterLogic } from '../../machines/router.ts';
import type { StreamId } from '../../src/event/stream-id.ts';
import { createInspection, type Inspection } from '../../src/telemetry/inspection.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { CountingMetrics } from '../support/counting-metrics.ts';

type Fact = Record<string, unknown> & {
  readonly type: string;
  readonly sessionId: string;
  readonly event?: unknown;
  readonly snapshot?: { readonly value?: unknown; readonly context?: unknown };
};

const machine = setup({
  types: { context: {} as { pings: number; token: string; socketId: string } },
}).createMachine({
  id: 'socket',
  initial: 'connecting',
  context: { pings: 0, token: 'hunter2', socketId: 's-1' },
  states: {
    connecting: { on: { 'socket.opened': 'live' } },
    live: {
      on: { ping: { actions: assign({ pings: ({ context }) => context.pings + 1 }) }, stop: 'closed' },
    },
    closed: { type: 'final' },
  },
});

describe('inspection', () => {
  const open: Inspection[] = [];
  const metrics = new CountingMetrics();
  afterEach(async () => {
    await Promise.all(open.splice(0).map((inspection) => inspection.close()));
  });

  /** An inspection that listens, and its address; undefined when it says that it cannot. */
  const started = async (port = 0) => {
    let inspection: Inspection | undefined;
    const address = await new Promise<string | undefined>((resolve) => {
      const output = { write: (line: string) => resolve((JSON.parse(line) as { address?: string }).address) };
      const logger = createLogger({ level: 'info', toFile: false, filename: '', output });
      inspection = createInspection({ stately: true, logger, metrics, port });
    });
    open.push(inspection as Inspection);
    return {
      address: address as string,
      inspection: inspection as Inspection,
      inspect: inspection?.inspect as never,
    };
  };

  /** Reads facts until one of them is what is waited for, and hangs up. */
  const factsUntil = async (address: string, isLast: (fact: Fact) => boolean): Promise<Fact[]> => {
    const response = await fetch(`${address}events`);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const facts: Fact[] = [];
    let text = '';
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      const lines = text.split('\n\n');
      text = lines.pop() as string;
      facts.push(...lines.map((line) => JSON.parse(line.replace(/^data: /, '')) as Fact));
      if (facts.some(isLast)) break;
    }
    return facts;
  };

  test('is off unless wanted: no observer, and nothing to close', async () => {
    const logger = createLogger({ level: 'info', toFile: false, filename: '', output: process.stderr });
    const inspection = createInspection({ stately: false, logger, metrics });
    expect(inspection.inspect).toBeUndefined();
    await inspection.close();
  });

  test("tells of actors, events and states in the form of Stately's inspector", async () => {
    const { address, inspect } = await started();
    const actor = createActor(machine, { id: 's-1', inspect }).start();
    actor.send({
      type: 'socket.opened',
      socketId: 's-1',
      cookie: 'hunter2',
      request: { url: 'hunter2' },
    });
    const facts = await factsUntil(address, ({ snapshot }) => snapshot?.value === 'live');
    expect(facts).toContainEqual(
      expect.objectContaining({
        type: '@xstate.actor',
        name: 's-1',
        _version: expect.any(String),
        sessionId: actor.sessionId,
      }),
    );
    expect(JSON.parse(facts[0]?.['definition'] as string)).toMatchObject({
      id: 'socket',
      initial: 'connecting',
    });
    expect(facts).toContainEqual(
      expect.objectContaining({
        type: '@xstate.snapshot',
        event: { type: 'socket.opened', socketId: 's-1' },
        snapshot: { status: 'active', value: 'live', context: { pings: 0, socketId: 's-1' } },
      }),
    );
    expect(JSON.stringify(facts.filter(({ type }) => type !== '@xstate.actor'))).not.toContain('hunter2');
  });

  test('tells of a batch how many entries it has, and its first and last id', async () => {
    const { address, inspect } = await started();
    const actor = createActor(
      createRouterLogic(() => {}),
      { id: 'router', inspect },
    ).start();
    const summary = { count: 2, firstId: '1-0' as StreamId, lastId: '2-0' as StreamId };
    actor.send({
      type: 'batch.read',
      batch: { ...summary, toJSON: () => summary, entries: ['hunter2'] } as never,
    });
    const facts = await factsUntil(address, ({ type }) => type === '@xstate.snapshot');
    expect(facts.at(-1)).toMatchObject({
      event: { type: 'batch.read', batch: summary },
      snapshot: { context: { batches: 1, events: 2 } },
    });
    expect(JSON.stringify(facts)).not.toContain('hunter2');
  });

  test('tells who connects late which actors there are and what they last were, and of none that ended', async () => {
    const { address, inspect } = await started();
    const ended = createActor(machine, { id: 'ended', inspect }).start();
    ended.send({ type: 'socket.opened' });
    ended.send({ type: 'stop' });
    const living = createActor(machine, { id: 'living', inspect }).start();
    living.send({ type: 'socket.opened' });
    await factsUntil(
      address,
      (fact) => fact.sessionId === living.sessionId && fact.snapshot?.value === 'live',
    );
    const facts = await factsUntil(address, (fact) => fact.snapshot?.value === 'live');
    expect(facts.map(({ type, sessionId }) => [type, sessionId])).toEqual([
      ['@xstate.actor', living.sessionId],
      ['@xstate.snapshot', living.sessionId],
    ]);
  });

  test('drops and counts what it cannot keep up with, and holds nothing up', async () => {
    const { inspect } = await started();
    const actor = createActor(machine, { id: 's-1', inspect }).start();
    actor.send({ type: 'socket.opened' });
    for (let ping = 0; ping < 5000; ping++) actor.send({ type: 'ping' });
    expect(actor.getSnapshot().context.pings).toBe(5000);
    expect(metrics.of('signalbox.inspection_dropped')).toBeGreaterThan(5000);
  });

  test('listens on loopback, to those only who ask for a loopback host', async () => {
    const { address } = await started();
    const { hostname, port } = new URL(address);
    expect(hostname).toBe('127.0.0.1');
    const statusOf = (options: {
      path?: string;
      method?: string;
      host?: string;
    }): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const { path = '/', method = 'GET', host = `localhost:${port}` } = options;
        const asked = request({ hostname, port, path, method, headers: { host } }, (response) => {
          response.resume().on('end', () => resolve(response.statusCode));
        });
        asked.on('error', reject).end();
      });
    expect(await statusOf({})).toBe(200);
    expect(await statusOf({ host: 'evil.example' })).toBe(403);
    expect(await statusOf({ host: 'localhost.evil.example' })).toBe(403);
    expect(await statusOf({ path: '/events', host: 'evil.example' })).toBe(403);
    expect(await statusOf({ method: 'POST' })).toBe(405);
    expect(await statusOf({ path: '//' })).toBe(404);
  });

  test('is off, and says so, when its port is taken', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { address, inspect } = await started((taken.address() as AddressInfo).port);
    expect(address).toBeUndefined();
    const actor = createActor(machine, { inspect }).start();
    expect(actor.getSnapshot().value).toBe('connecting');
    taken.close();
  });
});
