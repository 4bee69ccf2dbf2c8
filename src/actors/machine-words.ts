import type { StateValue } from 'xstate';

/** The innermost states of a machine, outermost region first: `open.delivery.live`, `open.heartbeat.idle`, … */
export function leavesOf(value: StateValue, path = ''): string[] {
  if (typeof value === 'string') return [`${path}${value}`];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner as StateValue, `${path}${key}.`));
}

/** XState's names of its own events, as the words of the machine's source: `after settle`, `done`, `error`. */
export function eventName(type: string): string {
  const after = /^xstate\.after\.([^.]+)/.exec(type);
  if (after !== null) return `after ${after[1]}`;
  const settled = /^xstate\.(done|error)\.(?:actor|state)/.exec(type);
  return settled?.[1] ?? type;
}
