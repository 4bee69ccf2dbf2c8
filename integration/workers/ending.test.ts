import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { startServer } from '../faults/server.ts';
import { eventually } from '../support/eventually.ts';
import type { Client } from '../support/superset.ts';
import { isRunning, startSeveral, startWorkers } from './several.ts';

const codes = async (clients: readonly Client[]): Promise<(number | undefined)[]> => {
  await eventually('all are closed', () => clients.every(({ closed }) => closed !== undefined));
  return clients.map(({ closed }) => closed?.code);
};
const everyone = (code: number, clients: readonly Client[]): number[] => clients.map(() => code);

describe('a server of two workers ends', () => {
  test('on SIGTERM: every socket is told, and the exit code is 0', async () => {
    const several = await startSeveral();
    const clients = await several.open(8);
    const workers = [several.pidOf(1), several.pidOf(2)];
    several.server.child.kill('SIGTERM');
    expect((await several.server.ended).code).toBe(0);
    expect(await codes(clients)).toEqual(everyone(1001, clients));
    expect(workers.filter(isRunning)).toEqual([]);
    expect(several.server.log.some(({ message }) => String(message).includes('unexpectedly'))).toBe(false);
  });

  test("in the same way on the terminal's SIGINT, which goes to every process of the group", async () => {
    const several = await startSeveral();
    const clients = await several.open(8);
    for (const pid of [several.pidOf(1), several.pidOf(2)]) process.kill(pid, 'SIGINT');
    several.server.child.kill('SIGINT');
    expect((await several.server.ended).code).toBe(0);
    expect(await codes(clients)).toEqual(everyone(1001, clients));
  });

  test('at once on a second signal, and no worker stays', async () => {
    const several = await startSeveral({ SIGNALBOX_DRAIN_MS: '60000' });
    const clients = await several.open(8);
    several.server.child.kill('SIGTERM');
    await eventually('it drains', () => clients.some(({ closed }) => closed !== undefined));
    several.server.child.kill('SIGTERM');
    // Its output is closed when the last process that had it is gone.
    expect((await several.server.ended).code).toBe(1);
  });

  test('when its primary is killed: the workers drain and go', async () => {
    const several = await startSeveral();
    const clients = await several.open(8);
    const workers = [several.pidOf(1), several.pidOf(2)];
    several.server.child.kill('SIGKILL');
    expect(await codes(clients)).toEqual(everyone(1001, clients));
    await several.server.ended;
    await eventually('none is left', () => !workers.some(isRunning));
  });

  test('with 1 and one line when the port is in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const server = startWorkers({ PORT: String(port) });
    const { code, stdout, stderr } = await server.ended;
    taken.close();
    expect([code, stderr]).toEqual([1, '']);
    expect(server.log.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([
      expect.objectContaining({
        message: `Cannot listen: 127.0.0.1 port ${port} is in use by another process`,
      }),
    ]);
    expect(stdout).not.toContain('Server started');
  });

  test('with 78 and the reason before it begins, on the memory broker', async () => {
    const server = startServer({ env: { SIGNALBOX_BROKER: 'memory', SIGNALBOX_WORKERS: '2' } });
    const { code, stdout, stderr } = await server.ended;
    expect([code, stdout]).toEqual([78, '']);
    expect(stderr).toContain('workers (from SIGNALBOX_WORKERS): 2 with the memory broker');
  });
});
