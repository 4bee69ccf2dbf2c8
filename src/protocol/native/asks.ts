import type { After } from '../../clock.ts';
import type { Answer, Decider, Peer, Refusal, Verdict } from '../../decider/decider.ts';
import { isRefusal } from '../../decider/decider.ts';
import type { Ask, Tell } from './client-frame.ts';
import { ERRORS, type Ref } from './error-codes.ts';
import type { ServerFrame } from './server-frame.ts';

export interface AsksDeps {
  readonly decider: Pick<Decider, 'ask' | 'tell'>;
  /** Who asks, as it is now. */
  readonly peer: () => Peer;
  readonly say: (frame: ServerFrame) => void;
  readonly maxInFlight: number;
  readonly timeoutMs: number;
  readonly after: After;
}

/** What one client asks and tells the application, each answered once: by it, or for it when the time is over. */
export class Asks {
  readonly #deps: AsksDeps;
  readonly #underWay = new Set<AbortController>();

  constructor(deps: AsksDeps) {
    this.#deps = deps;
  }

  ask({ ref, topic, data }: Ask): void {
    const { decider, say } = this.#deps;
    const { ask } = decider;
    if (ask === undefined) return this.#refuseUnheard(ref, topic);
    this.#run(
      ref,
      (peer, signal) => ask.call(decider, peer, { topic, data }, signal),
      (answer: Answer | Refusal) => {
        if (isRefusal(answer)) this.#refuse(ref, answer);
        else say({ type: 'answer', ref, data: answer.data });
      },
    );
  }

  tell({ ref, topic, data }: Tell): void {
    const { decider, say } = this.#deps;
    const { tell } = decider;
    if (tell === undefined) return this.#refuseUnheard(ref, topic);
    this.#run(
      ref,
      (peer, signal) => tell.call(decider, peer, { topic, data }, signal),
      (verdict: Verdict) => {
        if (verdict !== undefined) this.#refuse(ref, verdict);
        else if (ref !== undefined) say({ type: 'told', ref });
      },
    );
  }

  /** Nobody waits for an answer any more. */
  close(): void {
    for (const controller of this.#underWay) controller.abort();
    this.#underWay.clear();
  }

  #run<T>(
    ref: Ref | undefined,
    request: (peer: Peer, signal: AbortSignal) => Promise<T>,
    settle: (answer: T) => void,
  ): void {
    const { maxInFlight, timeoutMs, after, peer } = this.#deps;
    if (this.#underWay.size >= maxInFlight) return this.#refuse(ref, { code: 'too_many' });
    const controller = new AbortController();
    this.#underWay.add(controller);
    const end = (): boolean => {
      cancel();
      return this.#underWay.delete(controller);
    };
    const cancel = after(timeoutMs, () => {
      if (!end()) return;
      controller.abort();
      this.#refuse(ref, { code: 'timeout' });
    });
    void request(peer(), controller.signal).then((answer) => {
      if (end()) settle(answer);
    });
  }

  #refuseUnheard(ref: Ref | undefined, topic: string): void {
    this.#refuse(ref, { code: 'no_handler', message: `Nobody here answers ${topic}.` });
  }

  #refuse(ref: Ref | undefined, { code, message = ERRORS[code].sentence }: Refusal): void {
    this.#deps.say({ type: 'error', ...(ref !== undefined && { ref }), code, message });
  }
}
