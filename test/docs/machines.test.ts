import { readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { type AnyStateMachine, StateMachine } from 'xstate';
// @ts-expect-error: a script, without types
import { machineMarkdown } from '../../scripts/docs/machines.mjs';
import { pageAt, rowsBelow } from './pages.ts';

const names = readdirSync('machines')
  .filter((file) => file.endsWith('.machine.ts'))
  .map((file) => file.replace('.machine.ts', ''));

describe('the diagrams of the machines', () => {
  test.each(names)('of %s is what the machine is', async (name) => {
    const module = (await import(`../../machines/${name}.machine.ts`)) as Record<string, unknown>;
    const machine = Object.values(module).find((it) => it instanceof StateMachine) as AnyStateMachine;
    expect(pageAt(`docs/machines/${name}.md`)).toBe(machineMarkdown(name, machine));
  });

  test('are those of all machines, and of nothing else', () => {
    const pages = readdirSync('docs/machines').map((file) => file.replace('.md', ''));
    expect(pages.toSorted()).toEqual(names.toSorted());
  });

  test('can be reached from the page on the architecture, by who looks for an actor', () => {
    const linked = rowsBelow(pageAt('docs/architecture.md'), 'The actors').flatMap(([, cell = '']) =>
      [...cell.matchAll(/\(machines\/([a-z-]+)\.md\)/g)].map(([, name = '']) => name),
    );
    expect(linked.toSorted()).toEqual(names.toSorted());
  });
});
