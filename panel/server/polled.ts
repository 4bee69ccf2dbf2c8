import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, isAbort, Refusal } from './request.ts';

export interface Polled<Answer> {
  /** The last answer, also while a newer one is awaited or could not be had. */
  readonly answer?: Answer | undefined;
  /** Why there is no newer answer. */
  readonly refusal?: Refusal | undefined;
  /** Whether the answer is one to this very question. */
  readonly isCurrent: boolean;
  /** Asks at once. */
  refresh(): void;
}

interface State<Answer> {
  readonly path?: string | undefined;
  readonly answer?: Answer | undefined;
  readonly refusal?: Refusal | undefined;
}

/**
 * Asks for the same again and again, one question at a time, and not while nobody looks. `undefined` asks nothing;
 * without an interval it is asked once.
 */
export function usePolled<Answer>(path: string | undefined, everyMs?: number): Polled<Answer> {
  const [state, setState] = useState<State<Answer>>({});
  const poke = useRef<() => void>(() => undefined);

  useEffect(() => {
    if (path === undefined) return;
    const ending = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isAsking = false;

    async function question(asked: string): Promise<void> {
      clearTimeout(timer);
      if (isAsking) return;
      isAsking = true;
      try {
        const answer = await ask<Answer>(asked, { signal: ending.signal });
        setState({ path: asked, answer });
      } catch (error) {
        if (isAbort(error)) return;
        const refusal = error instanceof Refusal ? error : new Refusal(0, String(error));
        // What is gone is gone; what cannot be asked for at the moment is better than nothing.
        setState((before) => ({
          path: asked,
          refusal,
          answer: refusal.status === 404 || before.path !== asked ? undefined : before.answer,
        }));
      } finally {
        isAsking = false;
      }
      if (everyMs !== undefined && !ending.signal.aborted) timer = setTimeout(() => tick(asked), everyMs);
    }

    function tick(asked: string): void {
      // A hidden page asks when it is looked at again.
      if (!document.hidden) void question(asked);
    }

    const look = (): void => tick(path);
    poke.current = () => void question(path);
    void question(path);
    document.addEventListener('visibilitychange', look);
    return () => {
      document.removeEventListener('visibilitychange', look);
      clearTimeout(timer);
      ending.abort();
    };
  }, [path, everyMs]);

  return {
    answer: state.answer,
    refusal: state.refusal,
    isCurrent: state.path === path,
    refresh: () => poke.current(),
  };
}
