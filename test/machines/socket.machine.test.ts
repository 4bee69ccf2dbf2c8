import { describe, expect, test } from '@jest/globals';
import type { CloseReason } from '../../machines/close-reason.ts';
import { firstContext, OPEN, type SocketInput, socketMachine } from '../../machines/socket.machine.ts';
import { after, firstStep, isNothing, leaves, nextStep, type Step } from '../support/step.ts';

type SocketStep = Step<typeof machine>;
type Happening = Parameters<typeof nextStep<typeof machine>>[2];

const machine = socketMachine.provide({ delays: { pageRetry: 1 } });
const input: SocketInput = {
  id: 's',
  times: {
    handshakeTimeoutMs: 1_000,
    responseTimeoutMs: 60_000,
    slowConsumerTimeoutMs: 30_000,
    closeTimeoutMs: 2_000,
  },
};
const connecting = firstStep(machine, input);

const opened: Happening = { type: 'socket.opened' };
const caughtUp: Happening = { type: 'delivery.caughtUp' };
const fellBehind: Happening = { type: 'delivery.fellBehind' };
const filled: Happening = { type: 'transport.filled' };
const drained: Happening = { type: 'transport.drained' };
const pageFailed: Happening = { type: 'page.failed' };
const answered: Happening = { type: 'answer.received' };
const gone: Happening = { type: 'transport.closed' };
const close = (reason: CloseReason): Happening => ({ type: 'socket.close', reason });
const pingDue: Happening = { type: 'ping.due', silentMs: 20_000 };
const renewed = (lifetimeMs: number): Happening => ({ type: 'credential.renewed', lifetimeMs });
const unanswered = after('responseTimeout', 'socket.open.heartbeat.unanswered');
const tooSlow = after('slowConsumerTimeout', 'socket.open.delivery.replaying.blocked');
const retried = after('pageRetry', 'socket.open.delivery.replaying.waiting');
const expired = after('credentialLifetime', 'socket.open.credential.expiring');

const steps = (from: SocketStep, ...happenings: Happening[]) => nextStep(machine, from, ...happenings);
const catchingUp = steps(connecting, opened);
const live = steps(catchingUp, caughtUp);
const blocked = steps(live, filled);
const waiting = steps(catchingUp, pageFailed);
const awaiting = steps(live, pingDue);
const stale = steps(awaiting, pingDue);
const closing = steps(live, close('drain'));

/** One region of an open socket; a socket that is not open has one state. */
function region(step: SocketStep, name: 'delivery' | 'heartbeat' = 'delivery'): string {
  const prefix = `open.${name}.`;
  const found = step.state.split(' ').find((state) => state.startsWith(prefix));
  return found?.slice(prefix.length) ?? step.state;
}

describe('socket machine', () => {
  describe('when connecting', () => {
    test('is open once it was opened, and begins to catch up', () => {
      expect(catchingUp.state).toBe(
        'open.delivery.replaying.catchingUp open.heartbeat.idle open.credential.lasting',
      );
      expect(catchingUp.actions).toEqual(['pump']);
    });

    test('is closed when it is asked to close, so that its client hears why', () => {
      const step = steps(connecting, close('drain'));
      expect([step.state, step.actions]).toEqual(['closing', ['suspendDelivery', 'closeTransport']]);
      expect(step.snapshot.context.closeReason).toBe('drain');
    });

    test('is closed when it was not opened in time', () => {
      const step = steps(connecting, after('handshakeTimeout', 'socket.connecting'));
      expect([step.state, step.actions]).toEqual(['closing', ['suspendDelivery', 'closeTransport']]);
      expect(step.snapshot.context.closeReason).toBe('handshake_timeout');
    });
  });

  describe('when catching up', () => {
    test('is live once everything was sent', () => expect(region(live)).toBe('live'));

    test('is blocked while its transport is full', () => {
      expect(region(steps(catchingUp, filled))).toBe('replaying.blocked');
    });

    test('pumps again when a subscription fell behind meanwhile', () => {
      const step = steps(catchingUp, fellBehind);
      expect([region(step), step.actions]).toEqual(['replaying.catchingUp', ['pump']]);
    });

    test('waits after a page that could not be read, and pumps when the pause is over', () => {
      expect(region(waiting)).toBe('replaying.waiting');
      const step = steps(waiting, retried);
      expect([region(step), step.actions]).toEqual(['replaying.catchingUp', ['pump']]);
    });

    test('counts the pages in a row that failed, and forgets them when it is caught up', () => {
      const twice = steps(waiting, retried, pageFailed);
      expect(twice.snapshot.context.pageFailures).toBe(2);
      expect(steps(twice, retried, caughtUp).snapshot.context.pageFailures).toBe(0);
    });
  });

  describe('when live', () => {
    test('catches up again when a subscription fell behind', () => {
      const step = steps(live, fellBehind);
      expect([region(step), step.actions]).toEqual(['replaying.catchingUp', ['pump']]);
    });

    test('is blocked when its transport is full', () => expect(region(blocked)).toBe('replaying.blocked'));

    test('pings when it is its turn', () => {
      expect(region(awaiting, 'heartbeat')).toBe('unanswered.awaiting');
      expect(awaiting.actions).toEqual(['sendPing']);
    });

    test('goes stale when a ping is unanswered, and keeps pinging', () => {
      expect(region(stale, 'heartbeat')).toBe('unanswered.stale');
      expect(stale.actions.slice(0, 2)).toEqual(['sendPing', 'suspendDelivery']);
      const again = steps(stale, pingDue);
      expect([region(again, 'heartbeat'), again.actions]).toEqual(['unanswered.stale', ['sendPing']]);
    });
  });

  describe('when blocked', () => {
    test('catches up once the transport has drained', () => {
      const step = steps(blocked, drained);
      expect([region(step), step.actions]).toEqual(['replaying.catchingUp', ['pump']]);
    });

    test('is closed as too slow when it stays so for too long', () => {
      const step = steps(blocked, tooSlow);
      expect([step.state, step.snapshot.context.closeReason]).toEqual(['closing', 'too_slow']);
    });

    test('is pinged all the same', () => {
      expect(steps(blocked, pingDue).actions).toEqual(['sendPing']);
    });
  });

  describe('when stale', () => {
    test('is live no more: what comes now waits for the answer', () => {
      expect(region(stale)).toBe('replaying.catchingUp');
    });

    test('resumes by replaying when the answer comes late, then is live', () => {
      const late = steps(stale, answered);
      expect(region(late)).toBe('replaying.catchingUp');
      expect(region(late, 'heartbeat')).toBe('idle');
      expect(late.actions).toEqual(['resumeDelivery', 'pump']);
      expect(region(steps(late, caughtUp))).toBe('live');
    });

    test('resumes without a pump while its transport is full', () => {
      const late = steps(blocked, pingDue, pingDue, answered);
      expect([region(late), late.actions]).toEqual(['replaying.blocked', ['resumeDelivery']]);
    });

    test('is terminated when no answer came within the response timeout', () => {
      const step = steps(stale, unanswered);
      expect(step.snapshot.output).toEqual({ reason: 'unresponsive' });
      expect(step.actions).toEqual(['resumeDelivery', 'suspendDelivery', 'terminateTransport']);
    });
  });

  describe('an answer', () => {
    test.each([
      ['awaiting', awaiting],
      ['stale', stale],
    ])('when %s ends the wait for it', (_, from) => {
      expect(region(steps(from, answered), 'heartbeat')).toBe('idle');
    });

    test('is waited for until the response timeout since the last one is over', () => {
      expect(awaiting.delaysMs).toEqual([40_000]);
      expect(steps(live, { type: 'ping.due', silentMs: 500 }).delaysMs).toEqual([59_500]);
      expect(steps(awaiting, { type: 'ping.due', silentMs: 40_000 }).delaysMs).toEqual([]);
    });

    test.each([59_900, 60_000, 3_600_000])(
      'is waited for 5 s at least, also after %d ms of silence',
      (silentMs) => {
        expect(steps(live, { type: 'ping.due', silentMs }).delaysMs).toEqual([5_000]);
      },
    );

    test('is waited for no longer when the clock was set back', () => {
      expect(steps(live, { type: 'ping.due', silentMs: -3_600_000 }).delaysMs).toEqual([60_000]);
    });
  });

  test('has no timer when it is live and waits for nothing', () => {
    const timers = [connecting, catchingUp, live].map(({ delaysMs }) => delaysMs);
    expect(timers).toEqual([[1_000], [], []]);
  });

  test('begins open in the state that it reaches by itself', () => {
    const open = { ...live.snapshot, ...machine.resolveState({ value: OPEN, context: firstContext(input) }) };
    expect(leaves(open.value)).toBe(live.state);
    expect(open.context).toEqual(live.snapshot.context);
  });

  describe('with a credential that expires', () => {
    const expiring = steps(live, renewed(3_600_000));

    test('is closed when it has', () => {
      expect(expiring.delaysMs).toEqual([3_600_000]);
      const step = steps(expiring, expired);
      expect([step.state, step.snapshot.context.closeReason]).toEqual(['closing', 'expired']);
    });

    test('lasts as long as the one that came last', () => {
      const again = steps(expiring, renewed(7_200_000));
      expect([again.state, again.delaysMs]).toEqual([expiring.state, [7_200_000]]);
    });

    test('is closed at once when it has already', () => {
      expect(steps(live, renewed(0)).delaysMs).toEqual([0]);
    });
  });

  describe('when closing', () => {
    test('has suspended its delivery before it closed its transport', () => {
      expect(closing.actions).toEqual(['suspendDelivery', 'closeTransport']);
    });

    test('keeps the reason it was first closed for', () => {
      expect(steps(closing, close('failed')).snapshot.context.closeReason).toBe('drain');
    });

    test('is terminated when its peer takes too long over the handshake', () => {
      const step = steps(closing, after('closeTimeout', 'socket.closing'));
      expect([step.state, step.actions]).toEqual(['closed', ['suspendDelivery', 'terminateTransport']]);
      expect(step.snapshot.output).toEqual({ reason: 'drain' });
    });
  });

  /** Every pair of a state and an event that does something; the others must do nothing. */
  const table: Record<string, { from: SocketStep; does: Happening['type'][] }> = {
    connecting: { from: connecting, does: ['socket.opened', 'socket.close', 'transport.closed'] },
    'catching up': {
      from: catchingUp,
      does: [
        'socket.close',
        'transport.closed',
        'transport.filled',
        'page.failed',
        'delivery.caughtUp',
        'delivery.fellBehind',
        'ping.due',
        'credential.renewed',
      ],
    },
    blocked: {
      from: blocked,
      does: [
        'socket.close',
        'transport.closed',
        'transport.drained',
        'delivery.caughtUp',
        'ping.due',
        'credential.renewed',
      ],
    },
    'waiting for the next try of a page': {
      from: waiting,
      does: [
        'socket.close',
        'transport.closed',
        'transport.filled',
        'delivery.caughtUp',
        'ping.due',
        'credential.renewed',
      ],
    },
    live: {
      from: live,
      does: [
        'socket.close',
        'transport.closed',
        'transport.filled',
        'delivery.fellBehind',
        'ping.due',
        'credential.renewed',
      ],
    },
    'awaiting an answer': {
      from: awaiting,
      does: [
        'socket.close',
        'transport.closed',
        'transport.filled',
        'delivery.fellBehind',
        'ping.due',
        'answer.received',
        'credential.renewed',
      ],
    },
    closing: { from: closing, does: ['transport.closed'] },
  };
  const happenings = [
    opened,
    close('policy'),
    filled,
    drained,
    gone,
    pingDue,
    answered,
    renewed(1_000),
    pageFailed,
    caughtUp,
    fellBehind,
  ] as const;

  describe.each(Object.entries(table))('when %s', (_, { from, does }) => {
    test.each(happenings.filter(({ type }) => does.includes(type)))('$type has its effect', (happening) => {
      expect(isNothing(from, steps(from, happening))).toBe(false);
    });

    test('everything else does nothing', () => {
      for (const happening of happenings.filter(({ type }) => !does.includes(type))) {
        expect([happening.type, isNothing(from, steps(from, happening))]).toEqual([happening.type, true]);
      }
    });
  });

  test.each(Object.entries(table))('is closed by the end of its transport when %s', (_, { from }) => {
    expect(steps(from, gone).state).toBe('closed');
  });

  test.each([
    ['catching up', catchingUp],
    ['blocked', blocked],
    ['waiting', waiting],
    ['live', live],
    ['awaiting', awaiting],
  ])('is closed in order when asked to while %s', (_, from) => {
    const step = steps(from, close('lossy'));
    expect([step.state, step.actions]).toEqual(['closing', ['suspendDelivery', 'closeTransport']]);
    expect(step.snapshot.context.closeReason).toBe('lossy');
  });

  test('stays suspended when it is closed while stale', () => {
    expect(steps(stale, close('drain')).actions).toEqual([
      'resumeDelivery',
      'suspendDelivery',
      'closeTransport',
    ]);
  });
});
