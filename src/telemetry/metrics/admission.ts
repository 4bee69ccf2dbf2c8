import type { TokenFault } from '../../auth/auth-error.ts';
import type { HookName } from '../../config/schema/hooks.ts';
import type { HookOutcome } from '../../decider/hook.ts';
import type { BreakerState } from '../../decider/hook-breaker.ts';
import { allOf, type MetricDefinition, TIMES_MS } from '../metric.ts';

/** Why somebody is not let in, beyond what is wrong with a token. */
export type AuthRefusal = TokenFault | 'origin' | 'used_ticket';

const AUTH_REFUSALS = allOf<AuthRefusal>()([
  'absent',
  'malformed',
  'algorithm',
  'signature',
  'expired',
  'not_yet_valid',
  'audience',
  'issuer',
  'subject',
  'principal_type',
  'channel',
  'expiration',
  'session',
  'publish',
  'issued_at',
  'ticket',
  'from_ticket',
  'application',
  'route',
  'lifetime',
  'revoked',
  'revocations_unknown',
  'origin',
  'used_ticket',
]);
const HOOKS = allOf<HookName>()([
  'connect',
  'disconnect',
  'subscribe',
  'unsubscribe',
  'ask',
  'tell',
  'snapshot',
]);
const OUTCOMES = allOf<HookOutcome>()([
  'allowed',
  'refused',
  'failed',
  'malformed',
  'timeout',
  'unreachable',
  'open',
  'full',
  'given_up',
]);
const BREAKER_STATES = allOf<BreakerState>()(['open', 'halfOpen', 'closed']);

/** Who is let in, and what the application says. */
export const ADMISSION_METRICS = {
  'signalbox.auth_refused': {
    type: 'counter',
    unit: 'requests',
    meaning:
      'Credentials that were refused: what was wrong with the token, or its page (`origin`), or a ticket that was used before.',
    labels: { protocol: ['native', 'superset'], reason: AUTH_REFUSALS },
  },
  'signalbox.rate_limited': {
    type: 'counter',
    unit: 'requests',
    meaning:
      'Requests and upgrades that came too often: `connects` of an address, requests of a `principal` or an `address`, `tickets` of a user.',
    labels: { reason: ['connects', 'principal', 'address', 'tickets'] },
  },
  'signalbox.hook_requests': {
    type: 'counter',
    unit: 'requests',
    meaning:
      'Requests to hooks that have ended: allowed, refused, failed (another status), malformed (no JSON, or too large), timeout, unreachable, open (the breaker is, none was sent), full (too many wait, none was sent), given_up (nobody waits for it any more).',
    labels: { hook: HOOKS, outcome: OUTCOMES },
  },
  'signalbox.hook_request_ms': {
    type: 'histogram',
    unit: 'ms',
    buckets: TIMES_MS,
    meaning: 'How long they took, the wait for their turn included.',
    labels: { hook: HOOKS },
  },
  'signalbox.hook_breakers_open': {
    type: 'gauge',
    across: 'sum',
    unit: 'hooks',
    meaning: 'Whether the breaker of a hook is open now; with several workers, in how many of them.',
    labels: { hook: HOOKS },
  },
  'signalbox.hook_breaker_changes': {
    type: 'counter',
    unit: 'times',
    meaning: "A hook's breaker became open, halfOpen (it is tried with one request) or closed.",
    labels: { hook: HOOKS, state: BREAKER_STATES },
  },
  'signalbox.hook_notices_dropped': {
    type: 'counter',
    unit: 'requests',
    meaning: 'What a hook was to be told and never was: too much waited, or it took too long.',
    labels: { hook: HOOKS },
  },
} as const satisfies Record<string, MetricDefinition>;
