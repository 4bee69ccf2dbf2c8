import { Client, type Publisher } from '../support/superset.ts';
import { eventually } from '../support/eventually.ts';
import { judge, type Subject } from './replay-checks.ts';

export interface StormSize {
  readonly channels: number;
  /** Tabs of each channel that come back. */
  readonly tabs: number;
  /** Events that each of them is behind. */
  readonly behind: number;
  /** Events of each channel that are published while they come back. */
  readonly live: number;
}

/** What the whole storm got, in frames. */
export interface StormResult {
  readonly frames: number;
  readonly lost: number;
  readonly doubled: number;
  readonly disordered: number;
  readonly tookMs: number;
}

/** All clients come back at once, each some events behind, while more is published. */
export async function storm(
  { port }: Subject,
  publisher: Publisher,
  { channels, tabs, behind, live }: StormSize,
): Promise<StormResult> {
  const names = Array.from({ length: channels }, (_, at) => `storm-${at}`);
  const witness = await Client.open(port, { channel: 'witness' });
  await Promise.all(names.map((name) => publisher.publish(name)));
  const lastIds = await lastIdsOf(publisher);
  const due = new Map<string, string[]>();
  for (const name of names) due.set(name, await publisher.publishMany(name, behind));
  await publisher.publish('witness');
  await witness.receives(1);

  const startedMs = performance.now();
  const clients = names.flatMap((channel) =>
    Array.from({ length: tabs }, () => {
      const client = new Client(port, { channel, lastId: lastIds.get(channel) });
      return { channel, client };
    }),
  );
  for (let round = 0; round < live; round += 1) {
    await Promise.all(names.map(async (name) => due.get(name)?.push(await publisher.publish(name))));
  }
  // Once everybody is there, one more for each: what came before it has come or never will.
  await eventually(
    'all are back',
    () => clients.every(({ client }) => client.socket.readyState === 1),
    25_000,
  );
  const marks = new Map<string, string>();
  for (const name of names) marks.set(name, await publisher.publish(name));
  await eventually(
    'all have had the mark',
    () => clients.every(({ channel, client }) => client.jobs.at(-1) === marks.get(channel)),
    25_000,
  ).catch(() => {});
  const tookMs = performance.now() - startedMs;

  let frames = 0;
  const wrong = { lost: 0, doubled: 0, disordered: 0 };
  for (const { channel, client } of clients) {
    const ofChannel = new Set(due.get(channel));
    // What is inside the slack of its last_id may come again; it was not due.
    const jobs = client.jobs.filter((job) => ofChannel.has(job));
    frames += jobs.length;
    const verdict = judge(jobs, [...ofChannel]);
    wrong.lost += verdict.lost.length;
    wrong.doubled += verdict.doubled.length;
    wrong.disordered += verdict.disordered.length;
    client.drop();
  }
  witness.drop();
  return { frames, ...wrong, tookMs };
}

async function lastIdsOf({ redis, prefix }: Publisher): Promise<Map<string, string>> {
  const entries = await redis.xrange(`${prefix}full`, '-', '+');
  return new Map(
    entries.map(([id, fields]) => [(JSON.parse(fields[1] ?? '') as { channel_id: string }).channel_id, id]),
  );
}
