import { type Environment, variable } from './environment.ts';
import type { GivenValues } from './findings.ts';
import { leafAt } from './leaf.ts';
import type { BrokerChoice, Mode } from './loaded.ts';

export interface Choice {
  readonly mode: Mode;
  readonly brokerChoice: BrokerChoice;
}

/** What the options of a program are called. */
export const programOptions = 'the options';

/** The first thing that says that somebody has configured this server, in words. */
const configured = (given: GivenValues, file: string | undefined, env: Environment): string | undefined => {
  for (const [path, { origin }] of given) {
    const named = origin === file || origin === programOptions ? `${path} in ${origin}` : origin;
    if (path.startsWith('redis') || leafAt.get(path)?.meta.secret === true) return `${named} is set`;
  }
  if (file !== undefined) return `there is a config file, ${file}`;
  return variable(env, 'NODE_ENV')?.trim() === 'production' ? 'NODE_ENV is production' : undefined;
};

const nothingConfigured =
  'no redis key, no secret and no config file is given, and NODE_ENV is not production';

/** Which broker it is, and whether the server may make do with defaults that are only good for trying it out. */
export const choose = (given: GivenValues, file: string | undefined, env: Environment): Choice => {
  const broker = given.get('broker');
  const why = configured(given, file, env);
  const mode = why === undefined && broker?.value !== 'redis' ? 'development' : 'production';
  if (broker?.value === 'redis' || broker?.value === 'memory') {
    return {
      mode,
      brokerChoice: { name: broker.value, reason: `broker is ${broker.value} in ${broker.origin}` },
    };
  }
  if (why === undefined) return { mode, brokerChoice: { name: 'memory', reason: nothingConfigured } };
  return { mode, brokerChoice: { name: 'redis', reason: why } };
};
