import type { AnyStateMachine } from 'xstate';
import { eventName } from '../actors/machine-words.ts';
import type { Chart, ChartEdge, ChartNode } from './api.ts';

type Node = AnyStateMachine['root'];
type Edge = NonNullable<Node['always']>[number];

/** A machine as it is: its states, what leads from one to another, and what is done on the way. */
export function chartOf(machine: AnyStateMachine): Chart {
  return { id: machine.id, root: nodeOf(machine.root) };
}

function nodeOf(node: Node): ChartNode {
  const initial = node.type === 'parallel' ? undefined : node.initial?.target?.[0];
  return {
    key: node.key,
    path: node.path.join('.'),
    type: node.type,
    ...(initial !== undefined && { initial: initial.path.join('.') }),
    entry: actionNames(node.entry),
    exit: actionNames(node.exit),
    transitions: edgesOf(node),
    states: Object.values(node.states).map((state) => nodeOf(state)),
  };
}

function edgesOf(node: Node): ChartEdge[] {
  const eventful = [...node.transitions].flatMap(([event, edges]) =>
    (edges as readonly Edge[]).map((edge) => edgeOf(eventName(event), edge)),
  );
  return [...eventful, ...(node.always ?? []).map((edge) => edgeOf('always', edge))];
}

function edgeOf(event: string, { target, guard, actions }: Edge): ChartEdge {
  return {
    event,
    targets: (target ?? []).map(({ path }) => path.join('.')),
    ...(guard !== undefined && { guard: nameOf(guard) }),
    actions: actionNames(actions),
  };
}

/** Timers of `after` are started and cancelled by actions of XState's own, which say nothing more than `after`. */
const actionNames = (actions: readonly unknown[]): string[] =>
  actions.map(nameOf).filter((name) => name !== '' && !name.startsWith('xstate.'));

function nameOf(named: unknown): string {
  if (typeof named === 'string') return named;
  const { type } = named as { type?: unknown };
  if (type === 'xstate.raise') {
    const { event } = named as { event?: { type?: unknown } };
    const raised = typeof event?.type === 'string' ? event.type : '';
    return raised === '' || raised.startsWith('xstate.') ? '' : `raise ${raised}`;
  }
  // `not(…)` and its like are functions that carry what they combine.
  const { name, guards } = named as { name?: string; guards?: readonly unknown[] };
  if (guards !== undefined) return `${name} ${guards.map(nameOf).join(', ')}`;
  return typeof type === 'string' ? type : 'a function of its own';
}
