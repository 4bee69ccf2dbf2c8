// npm run bench -- [--smoke | --full] [--runs=3] [--no-pin] [--servers=signalbox,…] [--profile] [scenario …]
// npm run bench -- --plots-from=artifacts/bench-usual.json
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { isExact } from './ledger.ts';
import { chosen, optionsIn } from './options.ts';
import { hasNchan } from './peers/nchan.ts';
import { ANYWHERE, placementFor } from './placement.ts';
import { profileSummary } from './profile.ts';
import { startRedis } from './redis.ts';
import { figuresPage, findings, type Measured, ratios, type Result, tables } from './report.ts';
import type { Scenario } from './scenario.ts';
import { broadcast } from './scenarios/broadcast.ts';
import { connect } from './scenarios/connect.ts';
import { elsewhere } from './scenarios/elsewhere.ts';
import { idle, idleShared } from './scenarios/idle.ts';
import { jitter } from './scenarios/jitter.ts';
import { panel } from './scenarios/panel.ts';
import { slow } from './scenarios/slow.ts';
import { sse } from './scenarios/sse.ts';
import { storm } from './scenarios/storm.ts';
import { unicast } from './scenarios/unicast.ts';
import { workers } from './scenarios/workers.ts';
import { Stage } from './stage.ts';
import { runsInNode, type SubjectName } from './subject.ts';

const ALL: readonly Scenario[] = [
  broadcast,
  sse,
  unicast,
  elsewhere,
  connect,
  storm,
  idle,
  idleShared,
  slow,
  jitter,
  panel,
  ...workers,
];
const PAGES = 'docs/performance';
const PROFILES = 'artifacts/profiles';

const options = optionsIn(process.argv.slice(2));
const { size, runs, names, profiles, servers } = options;

async function show(result: Result): Promise<void> {
  // Not before it is needed: the libraries take a second.
  const { drawPlots } = await import('./plots.ts');
  for (const file of await drawPlots(result, PAGES)) console.log(`drew ${file}`);
  await writeFile(`${PAGES}/figures.md`, figuresPage(result));
  console.log(`wrote ${PAGES}/figures.md`);
}

if (options.plotsFrom !== undefined) {
  await show(JSON.parse(await readFile(options.plotsFrom, 'utf8')) as Result);
  process.exit(0);
}

// What was started ends with the run, also when it is broken off.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const processors = availableParallelism();
const groups = chosen(ALL, options, processors);
const canPin = options.pins && spawnSync('taskset', ['-c', '0', 'true']).status === 0;

const placementOf = (wanted = 1) => (canPin ? placementFor(processors, wanted) : undefined) ?? ANYWHERE;

const redis = await startRedis(placementOf().load);
const machine = {
  node: process.version,
  redis: redis.version,
  processor: cpus()[0]?.model ?? 'unknown',
  processors,
  pinned: placementOf() !== ANYWHERE,
  loadBefore: loadavg()[0] ?? 0,
};
console.log(
  `${size}, ${runs} run(s): Node ${machine.node}, Redis ${machine.redis}, ${machine.processors} × ${machine.processor}, ` +
    `load before ${machine.loadBefore.toFixed(2)}${machine.pinned ? ', server and load pinned' : ''}`,
);
const nchanIsHere = hasNchan();
if (!nchanIsHere)
  console.log('nchan is left out: apt-get install libnginx-mod-nchan (or your system’s) adds it');

function subjectsOf({ subjects, hasPeersInSmoke }: Scenario): readonly SubjectName[] {
  const isAlone = size === 'smoke' && hasPeersInSmoke === undefined;
  const wanted = servers ?? (isAlone ? ['signalbox'] : subjects);
  return subjects.filter(
    (name) => wanted.includes(name) && (name !== 'nchan' || nchanIsHere) && (!profiles || runsInNode(name)),
  );
}

let stages = 0;

async function runOne(scenario: Scenario, subject: SubjectName): Promise<Measured[]> {
  const env = scenario.env?.(size) ?? {};
  stages += 1;
  const number = String(stages).padStart(2, '0');
  const profileFolder = profiles ? `${PROFILES}/${number}-${scenario.name}-${subject}` : undefined;
  const placement = placementOf(scenario.serverProcessors);
  const stage = await Stage.open({ subject, redisUrl: redis.url, placement, env, profileFolder });
  try {
    const rows = await scenario.run(stage, size);
    return rows.map((row) => ({ scenario: scenario.name, subject, ...row }));
  } finally {
    await stage.close();
    if (profileFolder !== undefined) console.log(await profileSummary(profileFolder, stage.server.readyUs));
  }
}

const rows: Measured[] = [];
const begin = performance.now();
const file = `artifacts/${['bench', ...(profiles ? ['profile'] : []), size, ...names].join('-')}.json`;
await mkdir('artifacts', { recursive: true });
if (profiles) await rm(PROFILES, { recursive: true, force: true });

const minutes = (): number => (performance.now() - begin) / 60_000;

const resultNow = (): Result => ({
  at: new Date().toISOString(),
  size,
  minutes: minutes(),
  machine,
  findings: findings(rows),
  rows,
});

try {
  for (const scenarios of groups) {
    // Subjects take turns within each run, so that what else the machine does falls on all of them.
    for (let run = 1; run <= runs; run += 1) {
      for (const scenario of scenarios) {
        for (const subject of subjectsOf(scenario)) {
          const since = performance.now();
          rows.push(...(await runOne(scenario, subject)));
          const seconds = ((performance.now() - since) / 1000).toFixed(1);
          console.log(`${scenario.name} ${run}/${runs} ${subject} ${seconds} s`);
        }
      }
    }
    // After each, so that a run that is broken off has not been for nothing.
    await writeFile(file, `${JSON.stringify(resultNow(), undefined, 2)}\n`);
  }
} finally {
  await redis.stop();
}

const result = resultNow();
console.log(
  `\n${tables(result.findings)}\n\n${ratios(result.findings)}\n\n${minutes().toFixed(1)} minutes; ${file}`,
);
// The figures of a part, or of servers that were profiled too, are not those to show.
if (size !== 'smoke' && names.length === 0 && servers === undefined && !profiles) await show(result);

const faulty = result.findings.filter(
  ({ subject, exactness }) => subject === 'signalbox' && !isExact(exactness),
);
for (const { scenario, case: name } of faulty) console.error(`not exact: signalbox, ${scenario}, ${name}`);
process.exit(faulty.length === 0 ? 0 : 1);
