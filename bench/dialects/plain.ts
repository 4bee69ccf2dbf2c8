import type { Dialect } from './dialect.ts';

const ID_START = '{"id":"'.length;

/** Every text is an event, whose id comes first: Signalbox, as Superset's sidecar. */
export const plain: Dialect = {
  isOpenOnceUpgraded: true,
  target: (_, { lastId }) => (lastId === undefined ? '/' : `/?last_id=${lastId}`),
  isEvent: () => true,
  eventEnd: (_bytes, _from, to) => to,
  idOf(bytes, from, to) {
    const start = from + ID_START;
    const end = bytes.indexOf('"', start);
    if (end < 0 || end > to) throw new Error('an event without an id came');
    return bytes.toString('latin1', start, end);
  },
  answer: () => ({}),
};
