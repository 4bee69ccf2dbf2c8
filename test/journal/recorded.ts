/**
 * What `signalbox replay` is given: made by a server whose client left two pings unanswered, so that its socket went
 * stale, then answered again, and left.
 */
export const RECORDED = {
  version: 1,
  machine: 'socket',
  socket: '59eff2ae',
  transport: 'websocket',
  protocol: 'native',
  openedAtMs: 1795833915793,
  times: {
    handshakeTimeoutMs: 10000,
    responseTimeoutMs: 6000,
    slowConsumerTimeoutMs: 60000,
    closeTimeoutMs: 2000,
  },
  start: {
    states: ['connecting'],
    isWhole: true,
  },
  steps: [
    {
      atMs: 48,
      event: 'socket.opened',
      states: ['open.delivery.replaying.catchingUp', 'open.heartbeat.idle', 'open.credential.lasting'],
    },
    {
      atMs: 48,
      event: 'delivery.caughtUp',
      states: ['open.delivery.live', 'open.heartbeat.idle', 'open.credential.lasting'],
    },
    {
      atMs: 48,
      event: 'credential.renewed',
      lifetimeMs: 3599159,
      states: ['open.delivery.live', 'open.heartbeat.idle', 'open.credential.expiring'],
    },
    {
      atMs: 50,
      event: 'delivery.fellBehind',
      states: ['open.delivery.replaying.catchingUp', 'open.heartbeat.idle', 'open.credential.expiring'],
    },
    {
      atMs: 51,
      event: 'delivery.caughtUp',
      states: ['open.delivery.live', 'open.heartbeat.idle', 'open.credential.expiring'],
    },
    {
      atMs: 2947,
      event: 'answer.received',
      roundTripMs: 1,
      times: 3,
      states: ['open.delivery.live', 'open.heartbeat.idle', 'open.credential.expiring'],
    },
    {
      atMs: 3968,
      event: 'ping.due',
      silentMs: 1021,
      states: ['open.delivery.live', 'open.heartbeat.unanswered.awaiting', 'open.credential.expiring'],
    },
    {
      atMs: 5054,
      event: 'ping.due',
      silentMs: 2106,
      states: [
        'open.delivery.replaying.catchingUp',
        'open.heartbeat.unanswered.stale',
        'open.credential.expiring',
      ],
    },
    {
      atMs: 5943,
      event: 'answer.received',
      states: ['open.delivery.replaying.catchingUp', 'open.heartbeat.idle', 'open.credential.expiring'],
    },
    {
      atMs: 5943,
      event: 'delivery.caughtUp',
      states: ['open.delivery.live', 'open.heartbeat.idle', 'open.credential.expiring'],
    },
    {
      atMs: 7187,
      event: 'answer.received',
      roundTripMs: 1,
      times: 2,
      states: ['open.delivery.live', 'open.heartbeat.idle', 'open.credential.expiring'],
    },
    {
      atMs: 7461,
      event: 'transport.closed',
      states: ['closed'],
    },
  ],
};
