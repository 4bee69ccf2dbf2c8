import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Every machine under a folder of compiled `*.machine.js` files, in the order of their names. */
export const machines = async (folder) => {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.machine.js'))
    .toSorted();
  const found = [];
  for (const file of names) {
    const name = file.replace('.machine.js', '');
    const module = await import(pathToFileURL(join(folder, file)).href);
    const machine = module[`${name.replace(/-(.)/g, (_, letter) => letter.toUpperCase())}Machine`];
    if (machine === undefined) throw new Error(`${file} exports no ${name} machine`);
    found.push({ name, machine });
  }
  return found;
};

const idOf = (node) => node.path.join('_');

const nameOf = (value) => value.type ?? (typeof value === 'function' ? 'a function of its own' : value);

/** XState's internal event names, as the words of the machine's source. */
const eventOf = (descriptor) => {
  const [, kind, rest = ''] =
    /^xstate\.(after|done\.actor|error\.actor|done\.state|route)\.?(.*)$/.exec(descriptor) ?? [];
  const source = rest.replace(/^\d+\./, '').replace(/\.[\w.#]*$/, '');
  if (kind === 'after') return `after ${rest.slice(0, rest.indexOf('.')) || rest}`;
  if (kind === 'done.actor') return 'done';
  if (kind === 'error.actor') return 'error';
  if (kind === 'done.state') return `${source} done`;
  return descriptor === '' ? 'always' : descriptor;
};

const label = ({ eventType, guard }) =>
  // A colon would end Mermaid's label, a semicolon its line.
  `${eventOf(eventType)}${guard === undefined ? '' : ` [${nameOf(guard)}]`}`.replaceAll(/[:;]/g, ' ');

const transitionsOf = (node) => [
  ...[...node.transitions.values()].flat(),
  ...(node.always ?? []).map((transition) => ({ ...transition, eventType: '' })),
];

const childrenOf = (node) => Object.values(node.states);

/** The lines of a state's children: their starts, their bodies, side by side where they run in parallel. */
const body = (node, indent) => {
  const children = childrenOf(node);
  const lines = [];
  if (node.type !== 'parallel' && children.length > 0) {
    for (const target of node.initial.target ?? []) lines.push(`${indent}[*] --> ${idOf(target)}`);
  }
  children.forEach((child, index) => {
    if (node.type === 'parallel' && index > 0) lines.push(`${indent}--`);
    if (childrenOf(child).length === 0) lines.push(`${indent}state "${child.key}" as ${idOf(child)}`);
    else
      lines.push(
        `${indent}state "${child.key}" as ${idOf(child)} {`,
        ...body(child, `${indent}  `),
        `${indent}}`,
      );
    if (child.type === 'final') lines.push(`${indent}${idOf(child)} --> [*]`);
  });
  return lines;
};

/** All transitions that lead elsewhere, one arrow for each pair of states. */
const arrows = (node) => {
  const labels = new Map();
  const visit = (state) => {
    for (const transition of transitionsOf(state)) {
      for (const target of transition.target ?? []) {
        // The root is no state of the diagram: what it takes from anywhere is told in the table.
        if (state.path.length === 0 || target.path.length === 0) continue;
        const arrow = `${idOf(state)} --> ${idOf(target)}`;
        labels.set(arrow, [...(labels.get(arrow) ?? []), label(transition)]);
      }
    }
    childrenOf(state).forEach(visit);
  };
  visit(node);
  return [...labels].map(([arrow, texts]) => `  ${arrow} : ${[...new Set(texts)].join(', ')}`);
};

/** XState starts and cancels the timers of `after` by actions of its own, which say nothing more than `after`. */
const isTimer = (action) =>
  action.type === 'xstate.cancel' || action.event?.type?.startsWith('xstate.') === true;

const actionsOf = (actions) =>
  actions
    .map((action) => (action.type === 'xstate.raise' ? `raise ${action.event?.type}` : nameOf(action)))
    .map((name) => name.replace(/^xstate\./, ''))
    .join(', ');

const rowsOf = (state) => {
  const from = state.path.join('.') || 'anywhere';
  const row = (on, to, actions) => `| ${from} | ${on} | ${to} | ${actionsOf(actions)} |`;
  const at = (moment, all) => {
    const actions = all.filter((action) => !isTimer(action));
    return actions.length === 0 ? [] : [row(moment, '', actions)];
  };
  return [
    ...at('entry', state.entry),
    ...transitionsOf(state).map((transition) => {
      const targets = (transition.target ?? []).map((target) => target.path.join('.') || target.key);
      return row(label(transition), targets.join(', ') || 'stays', transition.actions);
    }),
    ...at('exit', state.exit),
  ];
};

const descendants = (node) => [node, ...childrenOf(node).flatMap(descendants)];

/** A page with the diagram of one machine, and the table of everything it reacts to. */
export const machineMarkdown = (name, machine) =>
  `${[
    `# The ${name} machine`,
    '',
    `<!-- Made by \`npm run docs\` from machines/${name}.machine.ts. -->`,
    '',
    '```mermaid',
    'stateDiagram-v2',
    ...body(machine.root, '  '),
    ...arrows(machine.root),
    '```',
    '',
    '| in | on | goes to | does |',
    '| --- | --- | --- | --- |',
    ...descendants(machine.root).flatMap(rowsOf),
  ].join('\n')}\n`;
