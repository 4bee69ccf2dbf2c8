import type { StateValue } from 'xstate';
import { eventName } from '../actors/machine-words.ts';
import type { Transition } from '../inspect/api.ts';
import { States } from './states.ts';

/** An event as a machine gets it. */
export interface MachineEvent {
  readonly type: string;
}

/** A step as it is asked for: the event in full, with what it brought. */
export interface Step {
  /** Since the beginning of the record. */
  readonly sinceMs: number;
  readonly event: string;
  readonly datum: number | string | undefined;
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** Above 0: pings that were answered in a row, this being the last answer; `datum` is how long that took. */
  readonly times: number;
}

/** Steps of one machine that are kept; the oldest goes first. */
export const MAX_STEPS = 64;
/** Numbers of one step in the list: its event, when, where to, what the event brought, how many. */
const WIDTH = 5;

const PING = 'ping.due';
const ANSWER = 'answer.received';
/** Restarts a timer, and is one therefore that counts wherever the machine is. */
const RESTARTING = 'credential.renewed';

/** Of all machines: there are as many states and events as these have. */
const states = new States();
const events: string[] = [];
const eventNumbers = new Map<string, number>();

function eventNumber(type: string): number {
  let number = eventNumbers.get(type);
  if (number === undefined) eventNumbers.set(type, (number = events.push(type) - 1));
  return number;
}

const PING_NUMBER = eventNumber(PING);
const ANSWER_NUMBER = eventNumber(ANSWER);

/** What of an event counts: how long a credential lasts, how long the peer was silent, the reason of a close. */
function datumOf(event: MachineEvent): number | string | undefined {
  const { lifetimeMs, silentMs, reason } = event as MachineEvent & Partial<Record<string, number | string>>;
  return lifetimeMs ?? silentMs ?? reason;
}

/**
 * The steps of one socket's machine. In one list of numbers, since there are many sockets, and most of them do nothing
 * but answer pings: any number of these in a row is one step.
 */
export class Steps {
  #list: (number | string | undefined)[] = [];
  /** Where the machine was before the first step that is kept. */
  #start: number;
  #state: number;
  /** How many steps are no longer kept. */
  #dropped = 0;

  constructor(start: StateValue) {
    this.#start = states.numberOf(start);
    this.#state = this.#start;
  }

  /** Its innermost states now. */
  get active(): readonly string[] {
    return states.at(this.#state);
  }

  get start(): readonly string[] {
    return states.at(this.#start);
  }

  get isWhole(): boolean {
    return this.#dropped === 0;
  }

  get last(): Step | undefined {
    return this.all().at(-1);
  }

  /** Notes a step; false: it changed nothing, and is none. */
  add(event: MachineEvent, sinceMs: number, value: StateValue): boolean {
    const to = states.numberOf(value);
    const { type } = event;
    if (to === this.#state && type !== RESTARTING) return false;
    this.#state = to;
    if (type === ANSWER && this.#fold(sinceMs, to)) return true;
    this.#push(eventNumber(type), sinceMs, to, datumOf(event), 0);
    return true;
  }

  all(): Step[] {
    const steps: Step[] = [];
    let from = this.#start;
    for (let at = 0; at < this.#list.length; at += WIDTH) {
      const [event, sinceMs, to, datum, times] = this.#list.slice(at, at + WIDTH) as [
        number,
        number,
        number,
        number | string | undefined,
        number,
      ];
      const path = { from: states.at(from), to: states.at(to) };
      steps.push({ sinceMs, event: events[event] as string, datum, ...path, times });
      from = to;
    }
    return steps;
  }

  /** An answer to a ping that was the last step, and after which everything is as it was before that. */
  #fold(sinceMs: number, to: number): boolean {
    const list = this.#list;
    const ping = list.length - WIDTH;
    if (ping < 0 || list[ping] !== PING_NUMBER) return false;
    const before = ping - WIDTH;
    const stateBefore = before < 0 ? this.#start : list[before + 2];
    if (stateBefore !== to) return false;
    const tookMs = sinceMs - (list[ping + 1] as number);
    list.length = ping;
    if (before >= 0 && (list[before + 4] as number) > 0) {
      list[before + 1] = sinceMs;
      list[before + 3] = tookMs;
      (list[before + 4] as number) += 1;
    } else this.#push(ANSWER_NUMBER, sinceMs, to, tookMs, 1);
    return true;
  }

  #push(...step: [number, number, number, number | string | undefined, number]): void {
    // An array that is pushed to, or spread, reserves for 16 more; this one is short in most sockets for all their life.
    if (this.#list.length < 8 * WIDTH) this.#list = this.#list.concat(step);
    else this.#list.push(...step);
    if (this.#list.length <= MAX_STEPS * WIDTH) return;
    this.#start = this.#list[2] as number;
    this.#list.splice(0, WIDTH);
    this.#dropped += 1;
  }
}

/** What a step's datum is called, by its event. */
export const DATUM_NAME: Readonly<Record<string, 'lifetimeMs' | 'silentMs' | 'reason' | 'roundTripMs'>> = {
  'credential.renewed': 'lifetimeMs',
  'ping.due': 'silentMs',
  'answer.received': 'roundTripMs',
  'socket.close': 'reason',
};

export function transitionOf(step: Step, beganAtMs: number): Transition {
  const { sinceMs, event, datum, from, to, times } = step;
  const name = DATUM_NAME[event];
  return {
    atMs: beganAtMs + sinceMs,
    event: eventName(event),
    ...(name !== undefined && datum !== undefined && { detail: { [name]: datum } }),
    from,
    to,
    ...(times > 0 && { times }),
  };
}
