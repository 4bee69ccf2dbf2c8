import { describe, expect, test } from '@jest/globals';
import { Listeners, Watched } from '../../client/src/listeners.ts';

const always = () => true;

describe('listeners', () => {
  test('are those who are there when it is told, but who was taken back meanwhile', () => {
    const listeners = new Listeners<[number]>();
    const heard: string[] = [];
    listeners.on('a', (value) => {
      heard.push(`first ${value}`);
      stop();
      listeners.on('a', (later) => heard.push(`third ${later}`));
    });
    const stop = listeners.on('a', (value) => heard.push(`second ${value}`));
    listeners.emit('a', always, 1);
    expect(heard).toEqual(['first 1']);
    listeners.emit('a', always, 2);
    expect(heard).toEqual(['first 1', 'first 2', 'third 2']);
  });
});

describe('a value that is watched', () => {
  test('that is set again by whom it is told ends up as the newer one for everybody', () => {
    const watched = new Watched(0);
    const seen: number[][] = [[], []];
    watched.onChange((value) => {
      seen[0]?.push(value);
      if (value === 1) watched.set(2);
    });
    watched.onChange((value) => seen[1]?.push(value));
    watched.set(1);
    expect(seen).toEqual([[1, 2], [2]]);
    expect(watched.getSnapshot()).toBe(2);
  });
});
