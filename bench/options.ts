import { parseArgs } from 'node:util';
import type { Scenario, Size } from './scenario.ts';
import { SUBJECT_NAMES } from './subject.ts';

/** What a run was asked for. */
export interface Options {
  readonly size: Size;
  readonly runs: number;
  readonly pins: boolean;
  readonly profiles: boolean;
  /** The only servers that take part; undefined: all that a scenario has. */
  readonly servers: readonly string[] | undefined;
  /** Figures to draw, instead of a run. */
  readonly plotsFrom: string | undefined;
  /** Names of scenarios; none: those that the machine is large enough for. */
  readonly names: readonly string[];
}

function serversIn(list: string | undefined): readonly string[] | undefined {
  const servers = list?.split(',');
  const unknown = servers?.filter((name) => !SUBJECT_NAMES.some((subject) => subject === name)) ?? [];
  if (unknown.length > 0) {
    throw new Error(`no such server: ${unknown.join(', ')}; there are ${SUBJECT_NAMES.join(', ')}`);
  }
  return servers;
}

export function optionsIn(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      smoke: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      runs: { type: 'string' },
      'no-pin': { type: 'boolean', default: false },
      servers: { type: 'string' },
      profile: { type: 'boolean', default: false },
      'plots-from': { type: 'string' },
    },
  });
  const size = values.smoke ? 'smoke' : values.full ? 'full' : 'usual';
  const runs = Number(values.runs ?? (size === 'smoke' || values.profile ? 1 : 3));
  if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs must be 1 or more, not ${values.runs}`);
  return {
    size,
    runs,
    pins: !values['no-pin'],
    profiles: values.profile,
    servers: serversIn(values.servers),
    plotsFrom: values['plots-from'],
    names: positionals,
  };
}

/** The scenarios that were named, or those that a machine with so many processors can show; one list for each name. */
export function chosen(
  all: readonly Scenario[],
  { names, size }: Options,
  processors: number,
): readonly (readonly Scenario[])[] {
  const known = [...new Set(all.map(({ name }) => name))];
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new Error(`no such scenario: ${unknown.join(', ')}; there are ${known.join(', ')}`);
  }
  const isAsked = ({ name, minProcessors = 1 }: Scenario): boolean =>
    names.length === 0
      ? minProcessors <= processors && (minProcessors === 1 || size !== 'smoke')
      : names.includes(name);
  return known
    .map((name) => all.filter((scenario) => scenario.name === name && isAsked(scenario)))
    .filter((scenarios) => scenarios.length > 0);
}
