import { isDeepStrictEqual } from 'node:util';
import {
  type AnyStateMachine,
  type EventFromLogic,
  type InputFrom,
  initialTransition,
  type SnapshotFrom,
  type StateValue,
  transition,
} from 'xstate';

/** What one event does to a machine: where it is afterwards, and which of its named actions are due. */
export interface Step<Machine extends AnyStateMachine> {
  readonly snapshot: SnapshotFrom<Machine>;
  /** The innermost states, outermost first: `open.delivery.live open.heartbeat.off`. */
  readonly state: string;
  /** Without XState's own (timers, raised events). */
  readonly actions: readonly string[];
  /** The delays of the timers that it starts, ms. */
  readonly delaysMs: readonly number[];
}

/** The first step of a machine as a function: nothing of it runs. */
export function firstStep<Machine extends AnyStateMachine>(
  machine: Machine,
  input: InputFrom<Machine>,
): Step<Machine> {
  return stepOf(initialTransition(machine, input as never) as never);
}

/** The steps after it, one for each event; the last of them is returned. */
export function nextStep<Machine extends AnyStateMachine>(
  machine: Machine,
  from: Step<Machine>,
  ...events: readonly (EventFromLogic<Machine> | { readonly type: `xstate.${string}` })[]
): Step<Machine> {
  let step = from;
  for (const event of events) step = stepOf(transition(machine, step.snapshot, event as never) as never);
  return step;
}

/** The event by which XState says that a delay of a state is over. */
export function after(delay: string, state: string): { readonly type: `xstate.${string}` } {
  return { type: `xstate.after.${delay}.${state}` };
}

/** Whether an event did anything: moved, acted, began to wait, or changed what is remembered. */
export function isNothing<Machine extends AnyStateMachine>(from: Step<Machine>, to: Step<Machine>): boolean {
  const isSame = isDeepStrictEqual(contextOf(from), contextOf(to)) && from.state === to.state;
  return isSame && to.actions.length === 0 && to.delaysMs.length === 0;
}

/** The innermost states of a state value, as `Step.state`. */
export function leaves(value: StateValue, path = ''): string {
  if (typeof value === 'string') return `${path}${value}`;
  const regions = Object.entries(value).map(([key, inner]) => leaves(inner as StateValue, `${path}${key}.`));
  return regions.join(' ');
}

function contextOf({ snapshot }: Step<AnyStateMachine>): unknown {
  return (snapshot as { context: unknown }).context;
}

function stepOf<Machine extends AnyStateMachine>([snapshot, actions]: readonly [
  SnapshotFrom<Machine>,
  readonly { readonly type: string; readonly params?: { readonly delay?: number } }[],
]): Step<Machine> {
  return {
    snapshot,
    state: leaves((snapshot as { value: StateValue }).value),
    actions: actions.map(({ type }) => type).filter((type) => !type.startsWith('xstate.')),
    delaysMs: actions.flatMap(({ type, params }) =>
      type === 'xstate.raise' ? [params?.delay ?? []].flat() : [],
    ),
  };
}
