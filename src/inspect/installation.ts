import type {
  ChannelDetail,
  ChannelFilter,
  ChannelRow,
  Explained,
  ExplainQuery,
  Explanation,
  Gathered,
  Overview,
  ReaderDetail,
  Rows,
  SocketAction,
  SocketDetail,
  SocketFilter,
  SocketRow,
} from './api.ts';
import type { Peers } from './peers.ts';
import type { Question, StatelyFilter, Subject } from './questions.ts';
import { mergeRows, type PartOfRows } from './rows.ts';
import type { StatelyStatus } from './stately.ts';
import type { OnLine, Watches } from './watches.ts';

export interface InstallationDeps {
  readonly peers: Pick<Peers, 'ask'>;
  readonly watches: Pick<Watches, 'begin'>;
}

/** What one process has, of those that may have it. */
export interface Found<Answer> {
  /** Undefined: none of those that answered has it. */
  readonly found: Answer | undefined;
  readonly unanswered: readonly string[];
}

/** All processes of an installation, as an operator sees them: wherever it is asked, it is the same. */
export class Installation {
  readonly #deps: InstallationDeps;

  constructor(deps: InstallationDeps) {
    this.#deps = deps;
  }

  async overview(): Promise<Overview> {
    return this.#deps.peers.ask({ kind: 'overview' });
  }

  async sockets(filter: SocketFilter): Promise<Rows<SocketRow>> {
    const { answers, unanswered } = await this.#ask<PartOfRows<SocketRow>>({ kind: 'sockets', filter });
    return { ...mergeRows(answers, filter, ({ id }) => id), unanswered };
  }

  async channels(filter: ChannelFilter): Promise<Rows<ChannelRow>> {
    const { answers, unanswered } = await this.#ask<PartOfRows<ChannelRow>>({ kind: 'channels', filter });
    return { ...mergeRows(answers, filter, nameOfChannel), unanswered };
  }

  socket(id: string): Promise<Found<SocketDetail>> {
    return this.#find({ kind: 'socket', id });
  }

  recording(id: string): Promise<Found<unknown>> {
    return this.#find({ kind: 'recording', id });
  }

  channel(feed: string, name: string): Promise<Gathered<ChannelDetail>> {
    return this.#ask({ kind: 'channel', feed, name });
  }

  reader(id: string): Promise<Gathered<ReaderDetail>> {
    return this.#ask({ kind: 'reader', id });
  }

  /** `by`: who does it, for the log. Found is whether it was still open. */
  act(
    id: string,
    action: SocketAction,
    by: string,
    word?: string,
  ): Promise<Found<{ readonly isDone: boolean }>> {
    return this.#find({ kind: 'act', id, action, by, ...(word !== undefined && { word }) });
  }

  async explain(query: ExplainQuery): Promise<Explained> {
    const { answers, unanswered } = await this.#ask<{
      readonly event: Explained['event'];
      readonly explanations: readonly Explanation[];
    }>({ kind: 'explain', query });
    const event = answers.find((answer) => answer.event.channels !== undefined)?.event ?? { id: query.event };
    return { event, answers: answers.flatMap(({ explanations }) => explanations), unanswered };
  }

  /** Tells what happens to it, on whatever process, until what is returned is called. */
  watch(subject: Subject, onLine: OnLine): () => void {
    return this.#deps.watches.begin(subject, onLine);
  }

  /** What is shown to Stately's inspector, of each process. Null: nothing any more; left out: as it is. */
  stately(filter?: StatelyFilter | null): Promise<Gathered<StatelyStatus>> {
    return this.#ask({ kind: 'stately', ...(filter !== undefined && { filter }) });
  }

  async #find<Answer>(question: Question): Promise<Found<Answer>> {
    const { answers, unanswered } = await this.#ask<Answer>(question);
    return { found: answers[0], unanswered };
  }

  #ask<Answer>(question: Question): Promise<Gathered<Answer>> {
    return this.#deps.peers.ask<Answer>(question);
  }
}

export const nameOfChannel = ({ feed, name, instance }: ChannelRow): string => `${name} ${feed} ${instance}`;
