import { describe, expect, test } from '@jest/globals';
import { startStatsdSink } from '../faults/statsd-sink.ts';
import { eventually } from '../support/eventually.ts';
import { Client } from '../support/superset.ts';
import { startSeveral, untilReady } from './several.ts';

const EVENTS = 200;

describe('two workers on one port', () => {
  test('deliver each event to every socket, once and in order', async () => {
    const several = await startSeveral();
    const clients = await several.open(8, 'shared');
    const jobs: string[] = [];
    for (let at = 0; at < EVENTS; at += 1) jobs.push(await several.publisher.publish('shared'));
    await Promise.all(clients.map((client) => client.receives(EVENTS)));
    for (const client of clients) expect(client.jobs).toEqual(jobs);
    // That both had some of them shows when one goes.
    process.kill(several.pidOf(1), 'SIGKILL');
    await eventually(
      'its sockets are cut',
      () => clients.filter(({ closed }) => closed !== undefined).length >= 2,
    );
    expect(clients.filter(({ closed }) => closed === undefined).length).toBeGreaterThanOrEqual(2);
  });

  test('one that is killed is replaced, and its clients come back and miss nothing', async () => {
    const several = await startSeveral();
    const { port, publisher, server } = several;
    const before = several.pidOf(2);
    const clients = await several.open(6, 'shared');
    const first = await publisher.publishMany('shared', 20);
    await Promise.all(clients.map((client) => client.receives(first.length)));

    process.kill(before, 'SIGKILL');
    await untilReady(several, 503);
    const later: string[] = [];
    for (let at = 0; at < 50; at += 1) later.push(await publisher.publish('shared'));
    const cut = await eventually('they are cut', () => {
      const found = clients.filter(({ closed }) => closed !== undefined);
      return found.length > 0 && found;
    });
    await untilReady(several, 200);
    expect(several.pidOf(2)).not.toBe(before);

    const back = await Promise.all(cut.map(({ lastId }) => Client.open(port, { channel: 'shared', lastId })));
    later.push(await publisher.publish('shared'));
    const stayed = clients.filter((client) => !cut.includes(client));
    expect(stayed.length).toBeGreaterThan(0);
    await Promise.all(back.map((client) => client.receives(later.length)));
    await Promise.all(stayed.map((client) => client.receives(first.length + later.length)));
    for (const client of back) expect(client.jobs).toEqual(later);
    for (const client of stayed) expect(new Set(client.jobs).size).toBe(first.length + later.length);
    const lost = server.log.filter(
      ({ message }) => message === 'A worker ended unexpectedly and is replaced',
    );
    expect(lost).toEqual([expect.objectContaining({ worker: 2, childPid: before, signal: 'SIGKILL' })]);
  });

  test('one that is stuck makes all of them not ready, until it goes on', async () => {
    const several = await startSeveral();
    const stuck = several.pidOf(1);
    process.kill(stuck, 'SIGSTOP');
    try {
      expect(await untilReady(several, 503)).toBe(true);
    } finally {
      process.kill(stuck, 'SIGCONT');
    }
    expect(await untilReady(several, 200)).toBe(true);
  });

  test('have the limit on connections together', async () => {
    const { port } = await startSeveral({ MAX_TOTAL_CONNECTIONS: '4' });
    const clients = Array.from({ length: 12 }, (_, at) => new Client(port, { channel: `channel-${at}` }));
    await eventually(
      'the others are refused',
      () => clients.filter(({ closed }) => closed?.code === 1013).length >= 8,
    );
    expect(clients.filter(({ closed }) => closed === undefined)).toHaveLength(4);
  });

  test('send counters that add up, and gauges that are those of all', async () => {
    const sink = await startStatsdSink();
    const several = await startSeveral(sink.env);
    const clients = await several.open(6);
    await eventually('six sockets', () => sink.gauge('signalbox.sockets') === 6);
    await eventually('six are counted', () => sink.total('ws_connected_client') === 6);
    for (const client of clients.slice(0, 3)) client.drop();
    await eventually('three sockets', () => sink.gauge('signalbox.sockets') === 3);
    process.kill(several.pidOf(1), 'SIGKILL');
    await eventually('it is counted', () => sink.total('signalbox.workers_lost') === 1);
    expect(sink.total('ws_connected_client')).toBe(6);
    sink.stop();
  });
});
