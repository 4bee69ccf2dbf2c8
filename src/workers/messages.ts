import type { LoadedConfig } from '../config/loaded.ts';
import type { Figures } from '../telemetry/figures.ts';
import type { Share } from '../telemetry/telemetry.ts';

/** What a worker tells the primary. */
export type FromWorker =
  /** It listens to the primary now: what is sent earlier is lost. */
  | { readonly type: 'worker.booted' }
  | { readonly type: 'port.bound'; readonly host: string; readonly port: number }
  /** It cannot start, and ends; the words and the code are those of the error. */
  | { readonly type: 'start.failed'; readonly message: string; readonly code: string | undefined }
  /** On a change of `isReady`, and once a second: silence means that it is stuck. */
  | { readonly type: 'state.reported'; readonly isReady: boolean; readonly figures: Figures }
  /** It is asked for the figures of all; `id` is its own, and comes back with them. */
  | { readonly type: 'figures.asked'; readonly id: number }
  /** The answer to `figures.wanted`. */
  | { readonly type: 'figures.given'; readonly id: number; readonly share: Share };

/** What the primary tells a worker. */
export type ToWorker =
  /**
   * The answer to `worker.booted`. The configuration is read by the primary alone, once: a worker that replaces
   * another has the same, whatever has become of the file.
   */
  | { readonly type: 'server.start'; readonly worker: number; readonly loaded: LoadedConfig }
  | { readonly type: 'server.drain' }
  /** On a change, and once a second: silence means that the primary is stuck, and no connection comes any more. */
  | { readonly type: 'readiness.decided'; readonly areAllReady: boolean }
  | { readonly type: 'figures.wanted'; readonly id: number }
  /** The answer to `figures.asked`: of every worker that answered, of those that have ended, and of the primary. */
  | { readonly type: 'figures.gathered'; readonly id: number; readonly shares: readonly Share[] };

/** How often each side says something. */
export const REPORT_INTERVAL_MS = 1_000;

/** Who is silent for this many intervals is taken for stuck. A busy one may well miss two or three. */
export const SILENT_INTERVALS = 5;

/** How long a worker may take to give its figures. */
export const GATHER_TIMEOUT_MS = 1_000;
