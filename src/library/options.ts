import type { z } from 'zod';
import type { configSchema } from '../config/schema.ts';

/** Where a configuration comes from: defaults, the file, the environment, `config`; what is later wins. */
export interface ConfigOptions {
  /** The keys of docs/configuration.md, as in the config file. */
  readonly config?: z.input<typeof configSchema>;
  /** Environment variables. Default: those of this process; `{}`: none. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The config file. Default: what `SIGNALBOX_CONFIG` names, or none. */
  readonly file?: string;
  /** What relative file names are relative to. Default: the working directory. */
  readonly cwd?: string;
}
