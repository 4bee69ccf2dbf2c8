import { RETRIES } from '../codes.ts';
import { host } from '../host.ts';
import { cookieOf, type Http, type HttpAnswer, queryOf, signalOf } from './http.ts';

export interface Saying {
  readonly ref?: number;
  readonly topic: string;
  readonly data?: unknown;
}

export interface Publication extends Saying {
  readonly channel: string;
  readonly key?: string;
}

/** A request that is sent when those before it have been answered, and again until it is. */
interface Queued {
  readonly path: string;
  readonly body: string;
  readonly ref: number | undefined;
  /** Says that it was done; `text` is the answer. */
  done(text: string): object;
  settled(id: string | undefined): void;
}

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;
/** Longer than the server lets the application take, which is `askTimeoutMs`. */
const TIMEOUT_MS = 20_000;
const json = { 'content-type': 'application/json' };

/** What a client asks, tells and publishes, as requests of their own. */
export class Requests {
  readonly #http: Http;
  readonly #say: (frame: object | string) => void;
  readonly #asks = new Set<{ abort(): void }>();
  readonly #told: Queued[] = [];
  readonly #published: Queued[] = [];
  #underWay = 0;
  #isOpen = true;
  /** Whoever waits until nothing is under way. */
  onIdle: (() => void) | undefined;

  constructor(http: Http, say: (frame: object | string) => void) {
    this.#http = http;
    this.#say = say;
  }

  get isIdle(): boolean {
    return this.#underWay === 0;
  }

  ask({ ref, topic, data }: Saying): void {
    const body = JSON.stringify({ topic, data });
    void this.#count(async () => {
      try {
        const [answer, text] = await this.#post('/ask', body, this.#asks);
        // The answer stays as it is: it may be large.
        this.#say(answer.ok ? `{"type":"answer","ref":${ref},${text.slice(1)}` : refusal(ref, answer, text));
      } catch {
        this.#say(lost(ref));
      }
    });
  }

  /** In the order in which they are told; not again, for nobody knows whether one was heard. */
  tell({ ref, topic, data }: Saying): void {
    const body = JSON.stringify({ topic, data });
    this.#queue(this.#told, {
      path: '/tell',
      body,
      ref,
      done: () => ({ type: 'told', ref }),
      settled() {},
    });
  }

  /** In the order in which they are published; again with the same key, until the server has answered. */
  publish({ ref, channel, topic, data, key }: Publication, settled: (id: string | undefined) => void): void {
    const body = JSON.stringify({ channel, topic, data, key });
    const done = (text: string) => ({ type: 'published', ref, id: (JSON.parse(text) as { id: string }).id });
    this.#queue(this.#published, { path: '/publish', body, ref, done, settled });
  }

  /** Nobody hears of answers any more. `isForGood`: what was said is still sent, but nothing again. */
  close(isForGood: boolean): void {
    this.#isOpen = false;
    for (const ask of this.#asks) ask.abort();
    if (isForGood) return;
    this.#told.splice(1);
    this.#published.splice(1);
  }

  #queue(queue: Queued[], request: Queued): void {
    queue.push(request);
    if (queue.length > 1) return;
    void this.#count(async () => {
      for (let first = queue[0]; first !== undefined; first = queue[0]) {
        const said = await this.#send(first, queue === this.#published);
        queue.shift();
        if (said !== undefined && first.ref !== undefined) this.#say(said);
      }
    });
  }

  /** What is to be said of it; undefined: nothing, for nobody is there. */
  async #send(request: Queued, isAgain: boolean): Promise<object | undefined> {
    const { path, body, ref, done, settled } = request;
    for (let pauseMs = FIRST_RETRY_MS; ; pauseMs = Math.min(LAST_RETRY_MS, pauseMs * 2)) {
      let waitMs = pauseMs;
      try {
        const [answer, text] = await this.#post(path, body);
        if (answer.ok) {
          const said = done(text) as { id?: string };
          settled(said.id);
          return said;
        }
        const refused = refusal(ref, answer, text);
        if (!isAgain || (answer.status !== 429 && refused.isOfServer)) {
          settled(undefined);
          return refused;
        }
        waitMs = Math.max(pauseMs, refused.retryAfter ?? 0);
      } catch {
        if (!isAgain) return lost(ref);
      }
      if (!this.#isOpen) return undefined;
      await new Promise<void>((resolve) => {
        this.#http.clock.setTimeout(resolve, waitMs);
      });
      if (!this.#isOpen) return undefined;
    }
  }

  /** Rejects when there is no answer in time: on a dead line nothing says so. */
  #post(path: string, body: string, among?: Set<{ abort(): void }>): Promise<[HttpAnswer, string]> {
    const { base, clock, fetch } = this.#http;
    const controller = new host.AbortController();
    among?.add(controller);
    const asking = async (): Promise<[HttpAnswer, string]> => {
      const credential = await this.#http.credential(path === '/publish');
      const answer = await fetch(`${base}${path}${queryOf(credential, '')}`, {
        method: 'POST',
        headers: { ...json, ...credential.headers },
        body,
        ...cookieOf(credential),
        ...signalOf(controller),
      });
      return [answer, await answer.text()];
    };
    return new Promise((resolve, reject) => {
      const timer = clock.setTimeout(() => {
        controller.abort();
        reject(new Error('there was no answer'));
      }, TIMEOUT_MS);
      asking()
        .then(resolve, reject)
        .finally(() => {
          clock.clearTimeout(timer);
          among?.delete(controller);
        });
    });
  }

  async #count(run: () => Promise<void>): Promise<void> {
    this.#underWay += 1;
    await run();
    this.#underWay -= 1;
    if (this.#underWay === 0) this.onIdle?.();
  }
}

const lost = (ref: number | undefined) => ({
  type: 'error',
  ref,
  code: 'lost',
  message: 'the request was lost before the answer came: whether it was done is not known',
});

/** A refusal as a frame; `isOfServer`: it says so itself, and was not kept from it by something in between. */
function refusal(ref: number | undefined, { status, headers }: HttpAnswer, text: string) {
  const { code, detail } = problemIn(text);
  const seconds = Number(headers.get('retry-after'));
  return {
    type: 'error',
    ref,
    code:
      code !== undefined && Object.hasOwn(RETRIES, code)
        ? code
        : status < 500
          ? 'bad_request'
          : 'unavailable',
    message: detail ?? `the server answered ${status}`,
    ...(seconds > 0 && { retryAfter: seconds * 1000 }),
    isOfServer: code !== undefined,
  };
}

function problemIn(text: string): { readonly code?: string; readonly detail?: string } {
  try {
    return JSON.parse(text) as object;
  } catch {
    return {};
  }
}
