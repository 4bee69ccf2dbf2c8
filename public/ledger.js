/**
 * The accounts of a page: what arrived, and what should have and did not. It believes nobody: numbers of the demo
 * events are consecutive within one run of the server, and what this page published must come back.
 */

/** Ids remembered to tell a second delivery; far more than any replay brings. */
const REMEMBERED_IDS = 20_000;

/** Negative when `a` is earlier than `b`. Ids are `<ms>-<seq>`. */
export function compareIds(a, b) {
  const [msOfA = '0', seqOfA = '0'] = a.split('-');
  const [msOfB = '0', seqOfB = '0'] = b.split('-');
  return Number(BigInt(msOfA) - BigInt(msOfB)) || Number(BigInt(seqOfA) - BigInt(seqOfB));
}

export function createLedger() {
  const seen = new Set();
  /** Ids of what this page published and has not received yet. */
  const awaited = new Set();
  /** Numbers of the current run that were jumped over. */
  const holes = new Set();
  let lostInEarlierRuns = 0;
  let run;
  let number = 0;
  let lastId;
  let received = 0;
  let replayedCount = 0;
  let duplicate = 0;
  let outOfOrder = 0;

  function recordNumber(data) {
    if (typeof data !== 'object' || data === null || !Number.isSafeInteger(data.n)) return;
    if (data.run !== run) {
      lostInEarlierRuns += holes.size;
      holes.clear();
      run = data.run;
      number = data.n;
    } else if (data.n > number) {
      for (let hole = number + 1; hole < data.n; hole += 1) holes.add(hole);
      number = data.n;
    } else if (!holes.delete(data.n)) duplicate += 1;
  }

  return {
    /** Enters an event; false when it had been received before. */
    record(event, replayed) {
      if (seen.has(event.id)) {
        duplicate += 1;
        return false;
      }
      seen.add(event.id);
      if (seen.size > REMEMBERED_IDS) seen.delete(seen.values().next().value);
      received += 1;
      if (replayed) replayedCount += 1;
      awaited.delete(event.id);
      if (lastId === undefined || compareIds(event.id, lastId) > 0) lastId = event.id;
      else outOfOrder += 1;
      recordNumber(event.data);
      return true;
    },
    /** Enters the id of something this page has published. */
    expect(id) {
      if (!seen.has(id)) awaited.add(id);
    },
    /** The id to resume from; undefined before the first event. */
    get lastId() {
      return lastId;
    },
    get counts() {
      let missed = lostInEarlierRuns + holes.size;
      for (const id of awaited) if (lastId !== undefined && compareIds(id, lastId) < 0) missed += 1;
      return { received, replayed: replayedCount, missed, duplicate, outOfOrder, number };
    },
  };
}
