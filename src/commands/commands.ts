import { EXIT, type ExitCode } from '../config/exit-code.ts';
import { type CommandContext, CommandFailure, type Subcommand } from './subcommand.ts';

/** Each is loaded when it is called: a server has no use for them, nor they for each other. */
const COMMANDS = {
  token: async () => (await import('./token.ts')).token,
  publish: async () => (await import('./publish.ts')).publish,
  tail: async () => (await import('./tail.ts')).tail,
  explain: async () => (await import('./explain.ts')).explain,
  replay: async () => (await import('./replay.ts')).replay,
} satisfies Record<string, () => Promise<Subcommand>>;

export type CommandName = keyof typeof COMMANDS;

export const commandNames = Object.keys(COMMANDS) as CommandName[];

export const isCommandName = (name: string | undefined): name is CommandName =>
  name !== undefined && Object.hasOwn(COMMANDS, name);

export const commandNamed = (name: CommandName): Promise<Subcommand> => COMMANDS[name]();

/** Runs a command to its end. What it could not do is told on stderr, and by the exit code. */
export const runCommand = async (name: CommandName, context: CommandContext): Promise<ExitCode> => {
  const command = await commandNamed(name);
  if (asksForHelp(context.argv)) {
    context.stdout.write(command.help);
    return EXIT.ok;
  }
  try {
    await command.run(context);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    const hint = error.exitCode === EXIT.usage ? `Try signalbox ${name} --help\n` : '';
    context.stderr.write(`signalbox ${name}: ${error.message}\n${hint}`);
    return error.exitCode;
  }
};

/** Whatever else is there: who asks for help may have got the rest wrong. */
const asksForHelp = (argv: readonly string[]): boolean => {
  const end = argv.indexOf('--');
  return argv
    .slice(0, end < 0 ? undefined : end)
    .some((argument) => argument === '--help' || argument === '-h');
};
