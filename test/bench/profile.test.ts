import { describe, expect, test } from '@jest/globals';
import { byFunction, byPlace, type CpuProfile, placeOf, since } from '../../bench/profile.ts';

const root = new URL('../..', import.meta.url).href;

const node = (id: number, functionName: string, url = '', lineNumber = -1): CpuProfile['nodes'][number] => ({
  id,
  callFrame: { functionName, url, lineNumber },
});

const profile: CpuProfile = {
  nodes: [
    node(1, '(idle)'),
    node(2, '(garbage collector)'),
    node(3, 'route', `${root}dist/src/routing/fan-out.js`, 9),
    node(4, 'route', `${root}dist/src/routing/fan-out.js`, 9),
    node(5, '', `${root}dist/src/routing/channels.js`, 0),
    node(6, 'send', `${root}node_modules/ws/lib/sender.js`, 99),
  ],
  startTime: 1_000_000,
  samples: [3, 1, 4, 5, 2, 6],
  // Each sample lasts until the next.
  timeDeltas: [0, 2000, 90_000, 3000, 1000, 4000],
};

describe('a profile', () => {
  test('is summed by function, wherever it was called from, without what was idle', () => {
    expect(byFunction([profile])).toEqual([
      { name: 'route src/routing/fan-out.js:10', ms: 5 },
      { name: '(garbage collector)', ms: 4 },
      { name: '(anonymous) src/routing/channels.js:1', ms: 1 },
      { name: 'send ws/lib/sender.js:100', ms: 0 },
    ]);
  });

  test('is summed by package and folder, over all processes', () => {
    expect(byPlace([profile, profile])).toEqual([
      { name: 'src/routing', ms: 12 },
      { name: '(garbage collector)', ms: 8 },
      { name: 'ws', ms: 0 },
    ]);
  });

  test('is read from a moment on', () => {
    const { samples, timeDeltas } = since(profile, 1_092_001);
    expect([samples, timeDeltas]).toEqual([
      [5, 2, 6],
      [3000, 1000, 4000],
    ]);
    expect(since(profile, 2_000_000).samples).toEqual([]);
  });

  test.each([
    ['emit', 'node:events', 'node'],
    ['writev', '', '(built in)'],
    ['(program)', '', '(program)'],
    ['f', `${root}node_modules/@scope/a/node_modules/@scope/b/index.js`, '@scope/b'],
    ['f', `${root}bench/peers/socketio.ts`, 'bench/peers'],
  ])('places %s of %j in %s', (name, url, place) => {
    expect(placeOf(name, url)).toBe(place);
  });
});
