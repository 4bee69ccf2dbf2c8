import { setImmediate } from 'node:timers/promises';
import type { Actors } from '../actors/actors.ts';
import type { Feeds } from '../actors/feeds.ts';
import { leavesOf } from '../actors/machine-words.ts';
import { channelState } from '../actors/states.ts';
import type { Broker, EventLog } from '../broker/ports.ts';
import { type Clock, within } from '../clock.ts';
import { createExplain, type Explain } from '../journal/explain.ts';
import type { Journal } from '../journal/journal.ts';
import { type Recording, recordingOf } from '../journal/recording.ts';
import type { WindowLimits } from '../routing/window.ts';
import type { EventLoopWatch } from '../telemetry/event-loop.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import {
  CHANNEL_STATES,
  type ChannelDetail,
  type ChannelFilter,
  type ChannelRow,
  type ChannelState,
  type InstanceOverview,
  type ReaderDetail,
  type ReaderRow,
  SOCKET_STATES,
  type SocketFilter,
  type SocketRow,
  type SocketState,
} from './api.ts';
import { nameOfChannel } from './installation.ts';
import type { Question, Subject } from './questions.ts';
import { readerRow } from './reader-rows.ts';
import { firstRows, matchesChannel, matchesSocket, type PartOfRows } from './rows.ts';
import type { SocketView } from './socket-view.ts';
import { SocketViews } from './socket-views.ts';
import type { Stately } from './stately.ts';
import type { TransitionLog } from './transition-log.ts';
import type { OnLine } from './watches.ts';

export interface InspectorDeps {
  readonly instance: () => string;
  readonly version: string;
  readonly feeds: Pick<Feeds, 'all'>;
  /** Undefined: nothing is kept of what was. */
  readonly journal: Journal | undefined;
  readonly transitions: Pick<TransitionLog, 'of'>;
  readonly stately: Pick<Stately, 'read' | 'set' | 'status'>;
  /** The limits of every window of this process. */
  readonly window: WindowLimits;
  readonly broker: Pick<Broker, 'name'>;
  /** Of the broker: what it is asked for. */
  readonly log: Pick<EventLog, 'lastId'>;
  readonly clock: Clock;
  readonly metrics: Pick<Recorder, 'total'>;
  readonly eventLoop: Pick<EventLoopWatch, 'lastMs'>;
  readonly logger: Pick<Logger, 'warn'>;
  isReady(): boolean;
  isDraining(): boolean;
  /** Another process wants to hear what happens to it. */
  lend(to: string, id: string, subject: Subject): void;
}

type Act = Extract<Question, { kind: 'act' }>;

const SHOWN_SOCKETS = 100;
const SHOWN_BATCHES = 50;
const BROKER_TIMEOUT_MS = 1_000;
/** How many sockets are looked at in one turn. */
const AT_ONCE = 1_000;

/** This process, as it answers for itself. */
export class Inspector {
  readonly #deps: InspectorDeps;
  readonly #sockets: SocketViews;
  /** Undefined: nothing is kept that it could be derived from. */
  readonly #explain: Explain | undefined;
  readonly #startedAtMs: number;

  constructor(deps: InspectorDeps) {
    this.#deps = deps;
    this.#sockets = new SocketViews({ ...deps, now: () => deps.clock.now() });
    this.#explain = deps.journal && createExplain(deps.journal, deps.instance);
    this.#startedAtMs = deps.clock.now();
  }

  /** Undefined: it has nothing to say to that. `from`: the process that asks. */
  async answer(asked: Question, from: string): Promise<unknown> {
    switch (asked.kind) {
      case 'overview':
        return this.#overview();
      case 'sockets':
        return this.#socketRows(asked.filter);
      case 'socket':
        return this.#sockets.detail(asked.id);
      case 'recording':
        return this.#recording(asked.id);
      case 'channels':
        return this.#channelRows(asked.filter);
      case 'channel':
        return this.#channel(asked.feed, asked.name);
      case 'reader':
        return this.#reader(asked.id);
      case 'act':
        return this.#act(asked);
      case 'explain':
        return this.#explain?.(asked.query);
      case 'stately':
        if (asked.filter !== undefined) this.#deps.stately.set(asked.filter ?? undefined);
        return this.#deps.stately.status;
      case 'watch':
        if (from !== this.#deps.instance()) this.#deps.lend(from, asked.id, asked.subject);
        return undefined;
    }
  }

  /** Tells of what happens to it in this process, until what it gives is called. */
  watch(subject: Subject, onLine: OnLine): () => void {
    if ('facts' in subject) return this.#deps.stately.read(onLine);
    const { journal } = this.#deps;
    if (journal === undefined) return () => {};
    return journal.watch((socket) => {
      if ('socket' in subject) return socket.id === subject.socket;
      if ('user' in subject) return socket.peer.user === subject.user;
      return socket.subscriptions.some(
        ({ channels, hasLeft }) => !hasLeft && channels.includes(subject.channel),
      );
    }, onLine);
  }

  async #overview(): Promise<InstanceOverview> {
    const { instance, version, feeds, clock, metrics, eventLoop, broker } = this.#deps;
    const sockets = countsOf<SocketState>(SOCKET_STATES);
    const channels = countsOf<ChannelState>(CHANNEL_STATES);
    for (const actors of feeds.all) {
      for (const some of [actors.sockets, ...actors.streams]) some.countStates(sockets);
      actors.channels.countStates(channels);
    }
    const roundTripMs = await this.#roundTripMs();
    return {
      instance: instance(),
      version,
      atMs: clock.now(),
      startedAtMs: this.#startedAtMs,
      isReady: this.#deps.isReady(),
      isDraining: this.#deps.isDraining(),
      sockets,
      channels,
      readers: this.#readers(),
      counters: {
        routed: metrics.total('signalbox.events_routed'),
        delivered: metrics.total('signalbox.events_delivered'),
        replayed: metrics.total('signalbox.events_replayed'),
        notDelivered: metrics.total('signalbox.events_not_delivered'),
        gaps: metrics.total('signalbox.gaps'),
      },
      // One budget for all of them.
      bufferedBytes: feeds.all[0]?.routing.budget.total ?? 0,
      eventLoopDelayMs: eventLoop.lastMs,
      broker: { name: broker.name, ...(roundTripMs !== undefined && { roundTripMs }) },
    };
  }

  #roundTripMs(): Promise<number | undefined> {
    const { log, clock } = this.#deps;
    const startMs = clock.now();
    const answered = log.lastId().then(
      () => clock.now() - startMs,
      () => undefined,
    );
    return within(clock, BROKER_TIMEOUT_MS, answered);
  }

  async #socketRows(filter: SocketFilter): Promise<PartOfRows<SocketRow>> {
    let total = 0;
    const matching: SocketView[] = [];
    for (const view of this.#sockets.all()) {
      total += 1;
      if (matchesSocket(view, filter)) matching.push(view);
      // Events go first: with many sockets this takes tens of milliseconds.
      if (total % AT_ONCE === 0) await setImmediate();
    }
    const { rows, ...counts } = firstRows(matching, total, filter, ({ id }) => id);
    return { ...counts, rows: rows.map((view) => view.row()) };
  }

  /** What can be replayed of a socket. */
  #recording(id: string): Recording | undefined {
    const record = this.#deps.journal?.socket(id);
    return record && recordingOf(record);
  }

  #channelRows(filter: ChannelFilter) {
    let total = 0;
    const rows = [];
    for (const actors of this.#deps.feeds.all) {
      for (const [name] of actors.channels.all()) {
        total += 1;
        const row = this.#channelRow(actors, name);
        if (row !== undefined && matchesChannel(row, filter)) rows.push(row);
      }
    }
    return firstRows(rows, total, filter, nameOfChannel);
  }

  #channelRow({ channels, name: feed }: Actors, name: string): ChannelRow | undefined {
    const snapshot = channels.get(name)?.getSnapshot();
    const state = snapshot && channelState(snapshot);
    if (snapshot === undefined || state === undefined) return undefined;
    const { subscribers, attempt } = snapshot.context;
    return { instance: this.#deps.instance(), feed, name, state, subscribers, attempt };
  }

  #channel(feed: string, name: string): ChannelDetail | undefined {
    const actors = this.#deps.feeds.all.find((one) => one.name === feed);
    const actor = actors?.channels.get(name);
    const row = actors && this.#channelRow(actors, name);
    if (actors === undefined || actor === undefined || row === undefined) return undefined;
    const { value, context } = actor.getSnapshot();
    const sockets: SocketRow[] = [];
    for (const view of this.#sockets.of(actors)) {
      if (sockets.length >= SHOWN_SOCKETS) break;
      if (view.channels.includes(name)) sockets.push(view.row());
    }
    return {
      ...row,
      active: leavesOf(value),
      transitions: this.#deps.transitions.of(actor.id),
      pages: context.pages,
      sockets,
    };
  }

  #readers(): ReaderRow[] {
    const { feeds, window, instance } = this.#deps;
    const rows = feeds.all.map((actors) => readerRow(actors, { window, instance: instance() }));
    return rows.filter((row) => row !== undefined);
  }

  #reader(id: string): ReaderDetail | undefined {
    const { feeds, window, instance, transitions, journal } = this.#deps;
    const actors = feeds.all.find(({ reading }) => reading.reader?.id === id);
    const reader = actors?.reading.reader;
    const row = actors && readerRow(actors, { window, instance: instance() });
    if (actors === undefined || reader === undefined || row === undefined) return undefined;
    return {
      ...row,
      active: leavesOf(reader.getSnapshot().value),
      transitions: transitions.of(id),
      recent: journal?.feed(actors.name).lastBatches(SHOWN_BATCHES) ?? [],
    };
  }

  /** Undefined: it is not here. Whatever is done is a line of the log. */
  #act({ id, action, word, by }: Act): { readonly isDone: boolean } | undefined {
    const socket = this.#sockets.get(id)?.socket;
    if (socket === undefined) return undefined;
    this.#deps.logger.warn({ action, socket: id, by }, `An operator did this to a socket: ${action}`);
    switch (action) {
      case 'ping':
        socket.pingNow();
        break;
      case 'pause':
      case 'resume':
        socket.delivery.pause(action === 'pause');
        break;
      case 'drop':
        socket.transport.terminate();
        break;
      case 'disconnect':
        socket.close('ended', word);
        break;
    }
    return { isDone: true };
  }
}

const countsOf = <State extends string>(states: readonly State[]): Record<State, number> =>
  Object.fromEntries(states.map((state) => [state, 0])) as Record<State, number>;
