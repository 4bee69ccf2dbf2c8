import { describe, expect, test } from '@jest/globals';
import { Journal } from '../../src/journal/journal.ts';
import { parseRecording, type Recording, recordingOf } from '../../src/journal/recording.ts';
import { replayRecording } from '../../src/journal/replay.ts';
import { type Client, type Core, createCore } from '../support/core.ts';
import { RECORDED } from './recorded.ts';

const recorded = (): Recording => parseRecording(JSON.stringify(RECORDED));

/** More than are kept, each with a stale socket in it. */
const ROUNDS = 70;
const ROUND_MS = 45_000;

async function started(): Promise<{ core: Core; record: (client: Client) => Recording }> {
  let core: Core | undefined;
  const journal = new Journal({
    now: () => core?.clock.now() ?? 0,
    instance: () => 'here',
    keepMs: 600_000,
    maxSockets: 100,
  });
  core = createCore({ deps: { journal } });
  await core.start();
  const record = ({ id }: Client): Recording => {
    const socket = journal.socket(id);
    if (socket === undefined) throw new Error(`${id} is not known`);
    return parseRecording(JSON.stringify(recordingOf(socket)));
  };
  return { core, record };
}

describe('a recording', () => {
  test('of a server whose client went stale and came back shows the same states again', () => {
    const { steps, difference } = replayRecording(recorded());
    expect(difference).toBeUndefined();
    expect(steps).toHaveLength(RECORDED.steps.length);
    const states = steps.map(({ replayed }) => replayed.join(' '));
    const stale = states.findIndex((state) => state.includes('open.heartbeat.unanswered.stale'));
    expect(stale).toBeGreaterThan(0);
    expect(states[stale + 1]).toContain('open.heartbeat.idle');
  });

  test('whose states are others is found out at the first of them', () => {
    const recording = recorded();
    const at = recording.steps.findIndex(({ event }) => event === 'ping.due');
    const steps = recording.steps.toSpliced(at + 1, 1);
    const { difference } = replayRecording({ ...recording, steps });
    expect(difference).toMatchObject({ event: 'answer.received' });
  });

  test('in which a timer runs when it was not due is found out', () => {
    const recording = recorded();
    const at = recording.steps.findIndex(({ event }) => event === 'ping.due') + 1;
    const early = {
      atMs: (recording.steps[at] as Recording['steps'][number]).atMs + 10,
      event: 'xstate.after.responseTimeout.socket.open.heartbeat.unanswered',
      states: ['closed'],
    };
    const steps = [...recording.steps.slice(0, at + 1), early];
    expect(replayRecording({ ...recording, steps }).difference).toMatchObject({
      event: 'after responseTimeout',
      recorded: ['closed'],
    });
  });

  test('in which a timer did not run although it was due is found out', () => {
    const recording = recorded();
    const { responseTimeoutMs } = recording.times;
    const late = recording.steps.map((step) =>
      step.event === 'transport.closed' ? { ...step, atMs: step.atMs + 60_000 } : step,
    );
    const unanswered = late.filter(
      ({ event }) => event !== 'answer.received' && event !== 'delivery.caughtUp',
    );
    expect(responseTimeoutMs).toBeLessThan(60_000);
    expect(replayRecording({ ...recording, steps: unanswered }).difference).toBeDefined();
  });

  test('has the timers of a socket that nobody answered', async () => {
    const { core, record } = await started();
    const client = core.open({ credentialLifetimeMs: 3_600_000 });
    client.transport.isAnswering = false;
    await core.clock.advance(120_000);
    const recording = record(client);
    expect(recording.steps.at(-1)).toMatchObject({
      event: 'xstate.after.responseTimeout.socket.open.heartbeat.unanswered',
      states: ['closed'],
    });
    expect(replayRecording(recording).difference).toBeUndefined();
  });

  test('whose beginning is no longer known begins in the state that it had then', async () => {
    const { core, record } = await started();
    const client = core.open({ credentialLifetimeMs: (ROUNDS + 1) * ROUND_MS });
    for (let round = 0; round < ROUNDS; round += 1) {
      client.transport.isAnswering = false;
      await core.clock.advance(ROUND_MS);
      client.transport.isAnswering = true;
      client.transport.answer();
    }
    const recording = record(client);
    expect(recording.start).toMatchObject({ isWhole: false });
    expect(replayRecording(recording).difference).toBeUndefined();
    // Its token's timer was started before the first step that is known.
    await core.clock.advance(ROUND_MS);
    const whole = record(client);
    expect(whole.steps.map(({ event }) => event)).toContainEqual(
      expect.stringMatching(/^xstate\.after\.credentialLifetime/),
    );
    expect(replayRecording(whole).difference).toBeUndefined();
  });

  test('says nothing of who the client is, and of what it heard', async () => {
    const { core, record } = await started();
    const peer = { transport: 'websocket', protocol: 'superset', user: 'ada', address: '192.0.2.7' } as const;
    const client = core.open({ channels: ['of-ada'], peer });
    await core.publish('of-ada', 'a secret');
    client.transport.cut();
    const text = JSON.stringify(record(client));
    expect(text).toContain('transport.closed');
    for (const secret of ['ada', '192.0.2.7', 'secret']) expect(text).not.toContain(secret);
  });
});

describe('a file that is no recording', () => {
  test.each([
    ['of another version', { version: 2 }, /version/],
    ['of another machine', { machine: 'channel' }, /machine/],
    [
      'with an event that XState takes for its own',
      { steps: [{ atMs: 0, event: 'xstate.stop', states: ['closed'] }] },
      /steps\.0\.event/,
    ],
    ['with something that nobody knows', { user: 'ada' }, /user/],
  ])('%s is refused', (_, changes, message) => {
    expect(() => parseRecording(JSON.stringify({ ...RECORDED, ...changes }))).toThrow(message);
  });

  test('because it is no JSON is refused', () => {
    expect(() => parseRecording('{')).toThrow(SyntaxError);
  });
});
