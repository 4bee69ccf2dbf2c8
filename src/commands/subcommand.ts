import type { Readable, Writable } from 'node:stream';
import type { Environment } from '../config/environment.ts';
import { EXIT, type ExitCode } from '../config/exit-code.ts';

/** What a command has of its process. */
export interface CommandContext {
  /** What follows the command's name. */
  readonly argv: readonly string[];
  readonly env: Environment;
  /** Relative file names are relative to it. */
  readonly cwd: string;
  readonly stdin: Readable;
  /** For what was asked for, and nothing else. */
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Ms since 1970. */
  readonly now: () => number;
  /** From the first call on the process is not ended by SIGINT, SIGTERM or a closed stdout: the signal is aborted. */
  untilEnded(): AbortSignal;
}

/** A command beside that of the server. Rejects with a `CommandFailure` when it cannot do what it was asked. */
export interface Subcommand {
  readonly help: string;
  run(context: CommandContext): Promise<void>;
}

/** Why a command ends with another exit code than 0. Its message never holds a secret. */
export class CommandFailure extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The failure of a command line that was not understood. */
export const misuse = (message: string): CommandFailure => new CommandFailure(EXIT.usage, message);
