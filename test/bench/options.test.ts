import { describe, expect, test } from '@jest/globals';
import { chosen, optionsIn } from '../../bench/options.ts';
import type { Scenario } from '../../bench/scenario.ts';

const scenario = (name: string, more: Partial<Scenario> = {}): Scenario => ({
  name,
  subjects: ['signalbox'],
  run: async () => [],
  ...more,
});
const all = [
  scenario('broadcast'),
  scenario('storm'),
  scenario('workers', { minProcessors: 4 }),
  scenario('workers', { minProcessors: 4 }),
];

const namesFor = (args: readonly string[], processors: number): string[][] =>
  chosen(all, optionsIn(args), processors).map((group) => group.map(({ name }) => name));

describe('the options', () => {
  test.each([
    [[], 'usual', 3],
    [['--smoke'], 'smoke', 1],
    [['--full', '--runs=5'], 'full', 5],
    [['--profile'], 'usual', 1],
  ])('%j', (args, size, runs) => {
    expect(optionsIn(args)).toMatchObject({ size, runs });
  });

  test.each(['--runs=none', '--runs=0', '--runs=1.5'])('refuse %s', (arg) => {
    expect(() => optionsIn([arg])).toThrow('--runs must be 1 or more');
  });
});

describe('the servers', () => {
  test('are all, or those that are named', () => {
    expect(optionsIn([]).servers).toBeUndefined();
    expect(optionsIn(['--servers=signalbox,nchan']).servers).toEqual(['signalbox', 'nchan']);
  });

  test('are not guessed', () => {
    expect(() => optionsIn(['--servers=signalbox,socket.io'])).toThrow(
      'no such server: socket.io; there are signalbox, bare, sidecar, socketio, nchan',
    );
  });
});

describe('the scenarios', () => {
  test('are all that the machine is large enough for, those of one name together', () => {
    expect(namesFor([], 2)).toEqual([['broadcast'], ['storm']]);
    expect(namesFor([], 4)).toEqual([['broadcast'], ['storm'], ['workers', 'workers']]);
  });

  test('are no more in a smoke run on a larger machine', () => {
    expect(namesFor(['--smoke'], 4)).toEqual([['broadcast'], ['storm']]);
  });

  test('are those that are named, on whatever machine', () => {
    expect(namesFor(['workers'], 2)).toEqual([['workers', 'workers']]);
  });

  test('are not guessed', () => {
    expect(() => namesFor(['storms'], 2)).toThrow(
      'no such scenario: storms; there are broadcast, storm, workers',
    );
  });
});
