// npm run bench -- [--smoke | --full] [--runs=3] [--no-pin] [scenario …]
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { isExact } from './ledger.ts';
import { startRedis } from './redis.ts';
import { findings, type Measured, ratios, tables } from './report.ts';
import type { Scenario, Size } from './scenario.ts';
import { broadcast } from './scenarios/broadcast.ts';
import { connect } from './scenarios/connect.ts';
import { elsewhere } from './scenarios/elsewhere.ts';
import { idle, idleShared } from './scenarios/idle.ts';
import { jitter } from './scenarios/jitter.ts';
import { slow } from './scenarios/slow.ts';
import { storm } from './scenarios/storm.ts';
import { unicast } from './scenarios/unicast.ts';
import { type Processors, Stage } from './stage.ts';
import type { SubjectName } from './subject.ts';

const ALL: readonly Scenario[] = [
  broadcast,
  unicast,
  elsewhere,
  connect,
  storm,
  idle,
  idleShared,
  slow,
  jitter,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    smoke: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    runs: { type: 'string' },
    'no-pin': { type: 'boolean', default: false },
  },
});

const size: Size = values.smoke ? 'smoke' : values.full ? 'full' : 'usual';
const runs = Number(values.runs ?? (size === 'smoke' ? 1 : 3));
const unknown = positionals.filter((name) => !ALL.some((scenario) => scenario.name === name));
if (unknown.length > 0) {
  throw new Error(
    `no such scenario: ${unknown.join(', ')}; there are ${ALL.map(({ name }) => name).join(', ')}`,
  );
}
const scenarios = ALL.filter(({ name }) => positionals.length === 0 || positionals.includes(name));

/** The server on one processor and everything else on another, where that can be had. */
function processors(): Processors {
  const canPin = availableParallelism() > 1 && spawnSync('taskset', ['-c', '0,1', 'true']).status === 0;
  return canPin && !values['no-pin'] ? { server: 0, load: 1 } : { server: undefined, load: undefined };
}

const placed = processors();
const redis = await startRedis(placed.load);
const machine = {
  node: process.version,
  redis: redis.version,
  processor: cpus()[0]?.model ?? 'unknown',
  processors: availableParallelism(),
  pinned: placed.server !== undefined,
  loadBefore: loadavg()[0] ?? 0,
};
console.log(
  `${size}, ${runs} run(s): Node ${machine.node}, Redis ${machine.redis}, ${machine.processors} × ${machine.processor}, ` +
    `load before ${machine.loadBefore.toFixed(2)}${machine.pinned ? ', server and load pinned' : ''}`,
);

async function runOne(scenario: Scenario, subject: SubjectName): Promise<Measured[]> {
  const env = scenario.env?.(size) ?? {};
  const stage = await Stage.open({ subject, redisUrl: redis.url, processors: placed, env });
  try {
    const rows = await scenario.run(stage, size);
    return rows.map((row) => ({ scenario: scenario.name, subject, ...row }));
  } finally {
    await stage.close();
  }
}

const subjectsOf = ({ subjects, hasPeersInSmoke }: Scenario): readonly SubjectName[] =>
  size === 'smoke' && hasPeersInSmoke === undefined ? ['signalbox'] : subjects;

const rows: Measured[] = [];
const begin = performance.now();
const file = `artifacts/${['bench', size, ...positionals].join('-')}.json`;
await mkdir('artifacts', { recursive: true });

/** After each scenario, so that a run that is broken off has not been for nothing. */
async function save(): Promise<void> {
  const minutes = (performance.now() - begin) / 60_000;
  const result = { at: new Date().toISOString(), size, minutes, machine, findings: findings(rows), rows };
  await writeFile(file, `${JSON.stringify(result, undefined, 2)}\n`);
}

try {
  for (const scenario of scenarios) {
    // Subjects take turns within each run, so that what else the machine does falls on all of them.
    for (let run = 1; run <= runs; run += 1) {
      for (const subject of subjectsOf(scenario)) {
        const since = performance.now();
        rows.push(...(await runOne(scenario, subject)));
        const seconds = ((performance.now() - since) / 1000).toFixed(1);
        console.log(`${scenario.name} ${run}/${runs} ${subject} ${seconds} s`);
      }
    }
    await save();
  }
} finally {
  await redis.stop();
}

const found = findings(rows);
console.log(
  `\n${tables(found)}\n\n${ratios(found)}\n\n${((performance.now() - begin) / 60_000).toFixed(1)} minutes`,
);

const faulty = found.filter(({ subject, exactness }) => subject === 'signalbox' && !isExact(exactness));
for (const { scenario, case: name } of faulty) console.error(`not exact: signalbox, ${scenario}, ${name}`);
process.exit(faulty.length === 0 ? 0 : 1);
