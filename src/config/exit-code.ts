/** What the process's exit code says; 64 and 78 are EX_USAGE and EX_CONFIG of sysexits.h. */
export const EXIT = {
  /** Ended as asked, or answered what was asked. */
  ok: 0,
  /**
   * Could not listen, was ended by a fault of its own, or was told a second time to end. A command: the server was not
   * there, or refused it.
   */
  failed: 1,
  /** The command line was not understood. */
  usage: 64,
  /**
   * The configuration has problems; all of them were printed, and no port was opened. A command: what it needs of the
   * configuration is not there.
   */
  config: 78,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
