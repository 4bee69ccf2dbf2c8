import { Client, type Publisher } from '../support/superset.ts';
import { eventually } from '../support/eventually.ts';
import type { Relay } from './relay.ts';

/** A server under a check: Signalbox, or a naive one on which the check must fail. */
export interface Subject {
  readonly port: number;
}

/** What a client got wrong, by job. */
export interface Verdict {
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly disordered: readonly string[];
}

export const FAULTLESS: Verdict = { lost: [], doubled: [], disordered: [] };

/** Compares what came with what was due, in its order. */
export function judge(came: readonly string[], due: readonly string[]): Verdict {
  const place = new Map(due.map((job, at) => [job, at]));
  const seen = new Set<string>();
  const doubled: string[] = [];
  const disordered: string[] = [];
  let last = -1;
  for (const job of came) {
    if (seen.has(job)) doubled.push(job);
    seen.add(job);
    const at = place.get(job) ?? -1;
    if (at < last) disordered.push(job);
    last = Math.max(last, at);
  }
  return { lost: due.filter((job) => !seen.has(job)), doubled, disordered };
}

/** Waits until the socket has had an event that is published after everything of before. */
export async function marked(clients: readonly Client[], publish: () => Promise<string>): Promise<string> {
  const mark = await publish();
  await eventually('the mark has come', () => clients.every(({ jobs }) => jobs.includes(mark)));
  return mark;
}

/** How long a client that is one event behind waits for it, while the blocking read has just begun. */
export async function replayDelayMs({ port }: Subject, publisher: Publisher, limitMs: number) {
  const client = await Client.open(port, { channel: 'quiet' });
  await marked([client], () => publisher.publish('quiet'));
  const before = client.lastId;
  await marked([client], () => publisher.publish('quiet'));
  client.drop();
  const startedMs = performance.now();
  const back = await Client.open(port, { channel: 'quiet', lastId: before });
  await back.receives(1, limitMs).catch(() => {});
  return back.messages.length === 0 ? Number.POSITIVE_INFINITY : performance.now() - startedMs;
}

/** What a tab has, that stayed open while another tab of its channel came back. */
export async function tabBesideReplay({ port }: Subject, publisher: Publisher): Promise<Verdict> {
  const tab = await Client.open(port, { channel: 'tabs' });
  const other = await Client.open(port, { channel: 'tabs' });
  const due = [await marked([tab, other], () => publisher.publish('tabs'))];
  other.drop();
  for (let count = 0; count < 5; count += 1) due.push(await publisher.publish('tabs'));
  await tab.receives(6);
  const back = await Client.open(port, { channel: 'tabs', lastId: other.lastId });
  const live = await publisher.publish('tabs');
  due.push(live);
  await back.receives(6);
  due.push(await marked([tab, back], () => publisher.publish('tabs')));
  return judge(tab.jobs, due);
}

/** What a client has, to which something was live the moment it came back, with more due to it. */
export async function replayBesideLive({ port }: Subject, publisher: Publisher): Promise<Verdict> {
  const client = await Client.open(port, { channel: 'busy' });
  const [other, witness] = await Promise.all([
    Client.open(port, { channel: 'busy' }),
    Client.open(port, { channel: 'witness' }),
  ]);
  await marked([client, other], () => publisher.publish('busy'));
  client.drop();
  const due = await publisher.publishMany('busy', 20);
  await other.receives(21);
  await marked([witness], () => publisher.publish('witness'));
  const back = await Client.open(port, { channel: 'busy', lastId: client.lastId });
  due.push(...(await publisher.publishMany('busy', 5)));
  due.push(await marked([back], () => publisher.publish('busy')));
  await back.receives(due.length);
  return judge(back.jobs, due);
}

/** What a client has, for which the server's first event since its start was published. */
export async function firstEventAfterStart({ port }: Subject, publisher: Publisher): Promise<Verdict> {
  const [oldest] = await publisher.redis.xrange(`${publisher.prefix}full`, '-', '+', 'COUNT', 1);
  const client = await Client.open(port, { channel: 'first', lastId: oldest?.[0] });
  const due = [await publisher.publish('first')];
  due.push(await marked([client], () => publisher.publish('first')));
  return judge(client.jobs, due);
}

/** What a client of a quiet server has of an event that was published between two blocking reads. */
export async function eventBetweenReads(
  { port }: Subject,
  publisher: Publisher,
  relay: Relay,
): Promise<Verdict> {
  const client = await Client.open(port, { channel: 'between' });
  const due = [await relay.betweenReads(() => publisher.publish('between'))];
  await eventually('a later event has come', async () => {
    await publisher.publish('between', { status: 'later' });
    return client.messages.some((message) => 'status' in message && message.status === 'later');
  });
  return judge(
    client.jobs.filter((job) => due.includes(job)),
    due,
  );
}

/**
 * What a client has of an event that lies between its `last_id` and live, and whose id on the channel's own stream
 * is smaller than its `last_id`: the two workers' XADDs interleaved in one millisecond.
 */
export async function straddlingEvent({ port }: Subject, publisher: Publisher): Promise<Verdict> {
  const { redis, prefix } = publisher;
  const ms = Date.now() - 1;
  const add = async (stream: string, seq: number, job: string) => {
    await redis.xadd(`${prefix}${stream}`, `${ms}-${seq}`, 'data', eventText('skewed', job));
  };
  const client = await Client.open(port, { channel: 'skewed' });
  await add('skewed', 1, 'had');
  await add('skewed', 2, 'missed');
  await add('full', 5, 'had');
  await client.receives(1);
  client.drop();
  await add('full', 6, 'missed');
  const back = await Client.open(port, { channel: 'skewed', lastId: client.lastId });
  const due = ['missed', await marked([back], () => publisher.publish('skewed'))];
  return judge(
    back.jobs.filter((job) => job !== 'had'),
    due,
  );
}

export function eventText(channel: string, job: string): string {
  return `{"channel_id": "${channel}", "job_id": "${job}"}`;
}
