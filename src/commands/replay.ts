import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { EXIT } from '../config/exit-code.ts';
import { parseRecording, type Recording } from '../journal/recording.ts';
import { type ReplayedStep, replayRecording } from '../journal/replay.ts';
import { quoted, readArguments } from './arguments.ts';
import { readWhole } from './stdin.ts';
import { type CommandContext, CommandFailure, misuse, type Subcommand } from './subcommand.ts';

const help = `Usage: signalbox replay FILE [options]

Runs the recording of a connection through the machines again, under a clock of its own, and prints each step: when it
was, what came, and the states that were entered. Where a state differs from the recorded one it says so, stops there,
and exits with 1. No server is needed, and none is asked.

Arguments:
  FILE            a recording, as the inspector exports it; -: read it from stdin

Options:
  --json          print each step as a line of JSON, with all states
  --help          print this, and end
`;

const options = { json: { type: 'boolean' } } as const;

export const replay: Subcommand = {
  help,
  async run(context) {
    const { values, positionals } = readArguments(context.argv, options);
    const [file, extra] = positionals;
    if (file === undefined) throw misuse('FILE is missing; expected a recording, or - for stdin');
    if (extra !== undefined) throw misuse(`Unknown argument ${quoted(extra)}; expected FILE only`);
    const recording = recordingIn(file, await textOf(file, context));
    const { steps, difference } = replayRecording(recording);
    let before: readonly string[] = recording.start.states;
    for (const step of steps) {
      context.stdout.write(`${values.json === true ? JSON.stringify(step) : lineOf(step, before)}\n`);
      before = step.replayed;
    }
    if (difference !== undefined)
      throw new CommandFailure(EXIT.failed, differenceOf(steps.length, difference));
    const whole = recording.start.isWhole ? '' : '; steps before the first one are not in it';
    context.stderr.write(`signalbox replay: the same states after each of ${steps.length} steps${whole}\n`);
  },
};

async function textOf(file: string, { cwd, stdin }: CommandContext): Promise<string> {
  try {
    if (file !== '-') return await readFile(resolve(cwd, file), 'utf8');
    return await readWhole(stdin);
  } catch (error) {
    throw new CommandFailure(EXIT.failed, `${quoted(file)} cannot be read: ${(error as Error).message}`);
  }
}

function recordingIn(file: string, text: string): Recording {
  try {
    return parseRecording(text);
  } catch (error) {
    throw new CommandFailure(
      EXIT.failed,
      `${quoted(file)} is no recording: ${(error as Error).message}; expected what the inspector exports`,
    );
  }
}

const MS_PER_S = 1_000;

/** When, what, and the states that were entered. */
function lineOf({ atMs, event, replayed }: ReplayedStep, before: readonly string[]): string {
  const entered = replayed.filter((state) => !before.includes(state));
  const time = `+${(atMs / MS_PER_S).toFixed(3)} s`.padStart(12);
  return `${time}  ${event.padEnd(24)}  ${entered.length === 0 ? '(as before)' : entered.join(', ')}`;
}

function differenceOf(step: number, { atMs, event, recorded, replayed }: ReplayedStep): string {
  const missing = recorded.filter((state) => !replayed.includes(state)).join(', ');
  const other = replayed.filter((state) => !recorded.includes(state)).join(', ');
  return `step ${step} differs: after ${event}, ${atMs} ms after it was opened, the recording is in ${missing}, and the machine in ${other}`;
}
