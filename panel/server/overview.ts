import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import type { Overview } from '../../src/inspect/api.ts';
import { type Sample, sampleOf } from '../figures/rates.ts';
import { withSample } from '../figures/samples.ts';
import { noteServerTime, serverNow } from './clock.ts';
import { type Line, openStream } from './stream.ts';

export interface Watched {
  readonly line: Line;
  /** When the line was cut. */
  readonly cutAtMs?: number | undefined;
  readonly overview?: Overview | undefined;
  readonly samples: readonly Sample[];
}

/** It speaks once a second. */
const QUIET_MS = 5_000;

const nothing: Watched = { line: 'connecting', samples: [] };

/** Watches the whole installation, while the page is looked at: once for all pages, so that the charts go on. */
export function useWatch(): Watched {
  const [watched, setWatched] = useState<Watched>(nothing);
  useEffect(() => {
    let stop: (() => void) | undefined;
    function begin(): void {
      stop = openStream<Overview>('/inspect/api/overview/stream', {
        quietMs: QUIET_MS,
        onLine: (line) =>
          setWatched((before) =>
            before.line === line
              ? before
              : { ...before, line, cutAtMs: line === 'cut' ? (before.cutAtMs ?? Date.now()) : undefined },
          ),
        onMessage: (overview) => {
          noteServerTime(Math.max(...overview.answers.map(({ atMs }) => atMs)));
          setWatched((before) => ({
            ...before,
            overview,
            samples: withSample(before.samples, sampleOf(before.overview, overview, serverNow())),
          }));
        },
      });
    }
    function look(): void {
      stop?.();
      stop = undefined;
      if (!document.hidden) begin();
    }
    look();
    document.addEventListener('visibilitychange', look);
    return () => {
      document.removeEventListener('visibilitychange', look);
      stop?.();
    };
  }, []);
  return watched;
}

export const Watching = createContext<Watched>(nothing);
export const useWatched = (): Watched => useContext(Watching);
