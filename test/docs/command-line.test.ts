import { describe, expect, test } from '@jest/globals';
import { commandNamed, commandNames, isCommandName } from '../../src/commands/commands.ts';
import { help } from '../../src/config/command-line.ts';
import { start } from '../commands/running.ts';
import { blocks, pageAt } from './pages.ts';

const page = pageAt('docs/command-line.md');

/** What stands below a heading of the second level. */
const below = (heading: string): string => page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';

const optionsOf = (text: string): string[] =>
  [...text.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, name = '']) => name);

describe('docs/command-line.md', () => {
  test('has what start says of itself, and names every command', () => {
    expect(blocks(below('start'), 'text')).toEqual([help]);
    const named = [...help.matchAll(/^ {2}(\w+) {4,}\S/gm)].map(([, name = '']) => name);
    expect(named.filter(isCommandName)).toEqual(commandNames);
  });

  test.each(commandNames)('has what %s says of itself', async (name) => {
    const { help: said } = await commandNamed(name);
    expect(blocks(below(name), 'text')).toContain(said);
    expect(Math.max(...said.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  test.each(commandNames)('%s knows every option that it tells of', async (name) => {
    const { help: said } = await commandNamed(name);
    const options = optionsOf(said).filter((option) => option !== '--help');
    expect(options.length).toBeGreaterThan(0);
    for (const option of options) {
      // Each alone is not enough, or not right, for some of them; but none is unknown.
      const running = start(name, [option]);
      await running.exitCode;
      expect(running.told()).not.toContain('Unknown option');
    }
  });

  test('its examples are command lines that are understood', async () => {
    const examples = blocks(page, 'sh')
      .flatMap((block) => block.trim().split('\n'))
      .flatMap(
        (line) => /(?:^|\| )signalbox (token|publish|tail|explain|replay) ([^|]+)/.exec(line)?.slice(1) ?? [],
      );
    expect(examples.length).toBeGreaterThan(10);
    for (let at = 0; at < examples.length; at += 2) {
      const argv = [...(examples[at + 1] ?? '').matchAll(/'([^']*)'|(\S+)/g)].map(([, a, b]) => a ?? b ?? '');
      // Nothing listens there, and nothing is signed without a secret: so none is carried out.
      const closed =
        ['token', 'replay'].includes(examples[at] ?? '') || argv.includes('--url')
          ? []
          : ['--url', 'http://127.0.0.1:9/'];
      const running = start(examples[at] as 'token', [...argv, ...closed], { stdin: '1' });
      expect([argv, await running.exitCode]).not.toEqual([argv, 64]);
    }
  });

  test('says the very line that token says where there is no secret', async () => {
    const running = start('token', ['--user', '5']);
    await running.exitCode;
    const line = /^ {2}(node -p .*\n)$/m.exec(running.told())?.[1] ?? '';
    expect(blocks(page, 'sh')).toContain(line);
  });
});
