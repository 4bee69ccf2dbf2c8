import { SignalboxError } from '../error.ts';
import type { Joined } from '../frames.ts';
import type { Clock } from '../host.ts';
import { compareIds, type Position } from '../position.ts';
import type { Channel, ChannelEvent, Gap, Snapshot } from '../subscription.ts';
import type { Session } from './session.ts';
import type { Subscribe } from './tab-frame.ts';

export type Asked = Subscribe & { readonly session: Session };

/** What it needs of the hub. */
export interface Sharing {
  readonly clock: Clock;
  /** Subscribes a channel once more: from an earlier position, or without one for a snapshot. */
  again(channel: Channel, lastId?: string, epoch?: string): void;
  event(sessions: Iterable<Session>, event: ChannelEvent): void;
  send(sessions: Iterable<Session>, frame: object): void;
  refuse(session: Session, ref: number, error: unknown): void;
  /** No snapshot is on its way any more. */
  settled(): void;
  /** The server has ended it. */
  ended(shared: SharedChannel): void;
}

/** How long others wait for somebody's snapshot: longer than the server waits for the application. */
const SNAPSHOT_MS = 3000;

/** A channel that tabs share. */
export class SharedChannel {
  readonly channel: Channel;
  readonly query: string;
  readonly #sharing: Sharing;
  /** Who hears it. */
  readonly #members = new Set<Session>();
  /** Who asked for it since it was joined last. */
  #waiting: Asked[] = [];
  /** Who is answered when it is joined. */
  #joining: Asked[];
  /**
   * `joined`: what comes is for all members. `joining`: nothing comes. `afresh`: joined without a position, to get a
   * snapshot for those who want one. It is for them only, and all else has to wait: before it something is left out.
   */
  #phase: 'joining' | 'afresh' | 'joined' = 'joining';
  /** Where all others are meanwhile. */
  #others: Position = { lastId: '', epoch: '' };
  /** Who joined without a position, as long as nothing came: a snapshot still may. */
  readonly #fresh = new Set<Session>();
  /** Who was told of a gap that ends at `id`, as long as nothing came: a snapshot still may. */
  #gap: { readonly id: string; readonly told: ReadonlySet<Session> } | undefined;
  /** How often it was joined. */
  #round = 0;

  constructor(channel: Channel, query: string, asked: Asked, sharing: Sharing) {
    this.channel = channel;
    this.query = query;
    this.#joining = [asked];
    this.#sharing = sharing;
    channel.on('*', (_, event) => this.#event(event));
    channel.on('gap', (gap: Gap) => this.#lost(gap));
    channel.on('snapshot', (snapshot: Snapshot) => this.#snapshot(snapshot));
    channel.onState((state) => {
      if (state === 'closed') sharing.ended(this);
    });
  }

  /** Whether all who have it have the same of it. */
  get isSettled(): boolean {
    return this.#phase === 'joined';
  }

  /** Whether somebody waits for a snapshot that may be on its way. */
  get isFresh(): boolean {
    return this.#fresh.size > 0;
  }

  has(session: Session): boolean {
    return this.#members.has(session);
  }

  ask(asked: Asked): void {
    this.#waiting.push(asked);
    this.#serve();
  }

  joined({ id, epoch, recovered }: Joined): void {
    const { clock, send } = this.#sharing;
    const { channel } = this.channel;
    const asked = this.#joining;
    this.#joining = [];
    if (this.#phase === 'joining') this.#phase = 'joined';
    for (const { session, ref, lastId } of asked) {
      this.#members.add(session);
      if (lastId === undefined) this.#fresh.add(session);
      send([session], { type: 'subscribed', ref, channel, id: lastId ?? id, epoch, recovered });
    }
    this.#serve();
    if (!this.isFresh) return;
    const round = ++this.#round;
    clock.setTimeout(() => {
      if (this.#round !== round || !this.channel.isJoined) return;
      // Nor is one to be looked for once more.
      this.channel.reached(this.channel.position?.lastId ?? id);
      this.#goBack();
    }, SNAPSHOT_MS);
  }

  /** Everything up to here has come. */
  reached(): void {
    if (this.channel.isJoined) this.#goBack();
  }

  /** False: nobody has it, or wants it. */
  remove(session: Session): boolean {
    const isOther = (asked: Asked) => asked.session !== session;
    this.#members.delete(session);
    this.#fresh.delete(session);
    this.#waiting = this.#waiting.filter(isOther);
    this.#joining = this.#joining.filter(isOther);
    return this.#members.size + this.#waiting.length + this.#joining.length > 0;
  }

  /** Tells all who have it, or want it. */
  end(): void {
    const { channel, error } = this.channel;
    const { refuse, send } = this.#sharing;
    const why = error ?? new SignalboxError('closed', `${channel} is closed`);
    for (const { session, ref } of [...this.#joining, ...this.#waiting]) refuse(session, ref, why);
    send(this.#members, { type: 'unsubscribed', channel });
  }

  #event(event: ChannelEvent): void {
    if (this.isSettled) {
      this.#gap = undefined;
      this.#sharing.event(this.#members, event);
    }
    this.#goBack();
  }

  #lost(gap: Gap): void {
    if (this.isSettled) {
      this.#gap = { id: gap.id, told: new Set(this.#members) };
      this.#sharing.send(this.#members, gap);
    }
    this.#goBack();
  }

  #snapshot(snapshot: Snapshot): void {
    const isAfresh = this.#phase === 'afresh';
    this.#sharing.send(isAfresh ? this.#wanting(snapshot) : this.#members, snapshot);
    this.#gap = undefined;
    // One that was kept is older than where the others are: what follows it is for all, and leaves nothing out.
    const { lastId, epoch } = this.#others;
    const isOlder = this.channel.position?.epoch === epoch && compareIds(snapshot.id, lastId) <= 0;
    if (isAfresh && isOlder) this.#phase = 'joined';
    this.#goBack();
  }

  /** Who has nothing yet; and who waits for what comes after a gap, which may be this now that it was joined afresh. */
  #wanting({ id }: Snapshot): Set<Session> {
    const gap = this.#gap;
    if (gap === undefined || compareIds(id, gap.id) < 0) return this.#fresh;
    return new Set([...this.#fresh, ...[...gap.told].filter((session) => this.has(session))]);
  }

  /** Those who wait: from where they are, all at once; then those who want a snapshot. */
  #serve(): void {
    const { channel } = this;
    const { position } = channel;
    if (!this.isSettled || position === undefined) return;
    const isOfNow = ({ lastId, epoch = position.epoch }: Asked) =>
      lastId === undefined || epoch === position.epoch;
    for (const asked of this.#waiting) if (!isOfNow(asked)) this.#bringOver(asked);
    const waiting = this.#waiting.filter(isOfNow);
    this.#waiting = [];
    if (waiting.length === 0) return;
    const resumed = waiting.filter(({ lastId }) => lastId !== undefined);
    if (resumed.length === 0) {
      this.#joining = waiting;
      this.#phase = 'afresh';
      this.#others = position;
      this.#sharing.again(channel);
      return;
    }
    this.#waiting = waiting.filter(({ lastId }) => lastId === undefined);
    this.#joining = resumed;
    const earliest = resumed.reduce(
      (least, { lastId = least }) => (compareIds(lastId, least) < 0 ? lastId : least),
      position.lastId,
    );
    if (compareIds(earliest, position.lastId) >= 0) {
      this.joined({ channel: channel.channel, id: earliest, epoch: position.epoch, recovered: true });
    } else if (this.isFresh) {
      // Their snapshot is on its way, and would be lost.
      this.#waiting = waiting;
      this.#joining = [];
    } else {
      this.#phase = 'joining';
      this.#sharing.again(channel, earliest);
    }
  }

  /** Its position is of another epoch: what was after it is lost. */
  #bringOver({ session, ref, lastId: after = '' }: Asked): void {
    const { channel } = this.channel;
    const { send } = this.#sharing;
    const { lastId: id = '', epoch = '' } = this.channel.position ?? {};
    this.#members.add(session);
    send([session], { type: 'subscribed', ref, channel, id: after, epoch, recovered: false });
    send([session], { type: 'gap', channel, after, id, epoch, reason: 'epoch' });
  }

  /** Whether there is a snapshot is known now: to where all others are. */
  #goBack(): void {
    if (this.isFresh) {
      this.#fresh.clear();
      this.#sharing.settled();
    }
    if (this.#phase === 'afresh') {
      this.#phase = 'joining';
      // Of another epoch by now, perhaps: then the server tells what they lost.
      const { lastId, epoch } = this.#others;
      this.#sharing.again(this.channel, lastId, epoch);
    } else this.#serve();
  }
}
