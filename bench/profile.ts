import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digits } from './report.ts';

/** As V8 writes it, as far as it is read here. Times are in µs, of the clock. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  /** By the monotonic clock. */
  readonly startTime: number;
  /** The node that each sample found. */
  readonly samples: readonly number[];
  /** How long before a sample the last one was. */
  readonly timeDeltas: readonly number[];
}

/** How long the code of one function, or of one place, ran itself: without what it called. */
export interface SelfTime {
  readonly name: string;
  readonly ms: number;
}

const FUNCTIONS = 25;
const IDLE = '(idle)';
const PROJECT = new URL('..', import.meta.url).href;

const inProject = (url: string): string => url.replace(PROJECT, '').replace(/^dist\//, '');

/** The package or the folder that a script belongs to. */
export function placeOf(functionName: string, url: string): string {
  // What V8 does itself is in brackets: garbage, and `(program)`, which are system calls for the most part.
  if (url === '') return functionName.startsWith('(') ? functionName : '(built in)';
  if (url.startsWith('node:')) return 'node';
  const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  return name ?? inProject(url).replace(/\/[^/]*$/, '');
}

function nameOf(functionName: string, url: string, line: number): string {
  if (url === '') return functionName;
  const file = url.startsWith('node:') ? url : inProject(url).replace(/^.*node_modules\//, '');
  return `${functionName || '(anonymous)'} ${file}:${line + 1}`;
}

/** What came after a moment of the monotonic clock: to start takes longer than many a scenario. */
export function since(profile: CpuProfile, fromUs: number): CpuProfile {
  let atUs = profile.startTime;
  const first = profile.timeDeltas.findIndex((delta) => {
    atUs += delta;
    return atUs >= fromUs;
  });
  if (first < 0) return { ...profile, samples: [], timeDeltas: [] };
  return {
    ...profile,
    samples: profile.samples.slice(first),
    timeDeltas: profile.timeDeltas.slice(first),
  };
}

/** Self time by what `keyOf` says of a node, most first; without the time in which there was nothing to do. */
function selfTimes(
  profiles: readonly CpuProfile[],
  keyOf: (functionName: string, url: string, line: number) => string,
): SelfTime[] {
  const times = new Map<string, number>();
  for (const { nodes, samples, timeDeltas } of profiles) {
    const keys = new Map(
      nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
        id,
        functionName === IDLE ? IDLE : keyOf(functionName, url, lineNumber),
      ]),
    );
    for (const [at, id] of samples.entries()) {
      const key = keys.get(id) ?? '(unknown)';
      times.set(key, (times.get(key) ?? 0) + (timeDeltas[at + 1] ?? 0) / 1000);
    }
  }
  times.delete(IDLE);
  return [...times].map(([name, ms]) => ({ name, ms })).sort((a, b) => b.ms - a.ms);
}

export const byFunction = (profiles: readonly CpuProfile[]): SelfTime[] => selfTimes(profiles, nameOf);

export const byPlace = (profiles: readonly CpuProfile[]): SelfTime[] => selfTimes(profiles, placeOf);

const table = (title: string, all: readonly SelfTime[], total: number, count: number): string[] => [
  `${'ms'.padStart(9)} ${'%'.padStart(6)}  ${title}`,
  ...all
    .filter(({ ms }) => ms >= total / 1000)
    .slice(0, count)
    .map(
      ({ name, ms }) => `${digits(ms).padStart(9)} ${((100 * ms) / total).toFixed(1).padStart(6)}  ${name}`,
    ),
];

/** What all profiles of a folder say together of the time after `fromUs`, to be read where they were made. */
export async function profileSummary(folder: string, fromUs: number): Promise<string> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.cpuprofile'));
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  const profiles = texts.map((text) => since(JSON.parse(text) as CpuProfile, fromUs));
  const places = byPlace(profiles);
  const total = places.reduce((sum, { ms }) => sum + ms, 0);
  return [
    '',
    `${folder}: ${files.length} profile(s), ${digits(total)} ms busy since it was ready`,
    ...table('package or folder', places, total, FUNCTIONS),
    '',
    ...table('function, its own time', byFunction(profiles), total, FUNCTIONS),
    '',
  ].join('\n');
}
