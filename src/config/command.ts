import { isLeft } from 'fp-ts/lib/Either.js';
import { help, readCommandLine } from './command-line.ts';
import type { Environment } from './environment.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { load } from './load.ts';
import type { LoadedConfig } from './loaded.ts';
import { printConfig, printProblems, printRemarks } from './print.ts';

/** What to do: serve, or print something and end. */
export type Command =
  | { readonly kind: 'serve'; readonly loaded: LoadedConfig }
  | { readonly kind: 'end'; readonly exitCode: ExitCode; readonly stdout: string; readonly stderr: string };

export interface Call {
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly cwd: string;
  readonly version: string;
}

const end = (exitCode: ExitCode, stdout: string, stderr = ''): Command => ({
  kind: 'end',
  exitCode,
  stdout,
  stderr,
});

/** From the arguments and the environment to what the process should do. Reads files; opens nothing. */
export const decide = ({ argv, env, cwd, version }: Call): Command => {
  const line = readCommandLine(argv);
  if (isLeft(line)) return end(EXIT.usage, '', `signalbox: ${line.left}\nTry signalbox --help\n`);
  const { action, file } = line.right;
  if (action === 'help') return end(EXIT.ok, help);
  if (action === 'version') return end(EXIT.ok, `${version}\n`);

  const result = load({ cwd, env, file });
  if (isLeft(result)) return end(EXIT.config, '', printProblems(result.left));
  const loaded = result.right;
  if (action === 'serve') return { kind: 'serve', loaded };
  const remarks = printRemarks('note', loaded.notes) + printRemarks('warning', loaded.warnings);
  if (action === 'print-config') return end(EXIT.ok, printConfig(loaded), remarks);
  const { mode, brokerChoice } = loaded;
  return end(EXIT.ok, `valid: ${mode} mode, broker ${brokerChoice.name} (${brokerChoice.reason})\n`, remarks);
};
