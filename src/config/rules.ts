import { isIP } from 'node:net';
import type { Findings } from './findings.ts';
import { hookRules } from './hook-rules.ts';
import { redisTlsRules } from './redis-tls-rules.ts';
import { routeRules } from './route-rules.ts';
import type { Rule, Situation } from './rule.ts';
import { secretRules } from './secret-rules.ts';
import { workerRules } from './workers.ts';

const conflict = (
  { origins }: Situation,
  { problems }: Findings,
  key: string,
  words: {
    readonly got: string;
    readonly expected: string;
    readonly advice: string;
  },
): void => {
  problems.push({ code: 'conflict', key, source: origins.get(key) ?? 'default', ...words });
};

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

/** What belongs together, beside secrets. */
const relationRules: readonly Rule[] = [
  {
    about: ['host'],
    check(situation, findings) {
      const { host } = situation.config;
      if (situation.mode !== 'development' || isLoopback(host)) return;
      conflict(situation, findings, 'host', {
        got: `${JSON.stringify(host)} with nothing else configured, which is development mode`,
        expected: 'a loopback address such as 127.0.0.1, because development mode gives everybody a token',
        advice: 'Set JWT_SECRET to be reached from elsewhere.',
      });
    },
  },
  {
    about: ['redis.sentinels', 'redis.name'],
    check(situation, findings) {
      const { sentinels, name } = situation.config.redis;
      if (sentinels.length === 0 || name !== '') return;
      conflict(situation, findings, 'redis.sentinels', {
        got: 'Sentinels without redis.name',
        expected: 'the name of the master to ask them for',
        advice: 'Set SIGNALBOX_REDIS_NAME, for example to mymaster.',
      });
    },
  },
  {
    about: ['redis.sentinels', 'redis.cluster', 'redis.path', 'redis.url'],
    check(situation, findings) {
      const { sentinels, cluster, path } = situation.config.redis;
      const ways = [
        sentinels.length > 0 ? 'redis.sentinels' : '',
        cluster.length > 0 ? 'redis.cluster' : '',
        path === '' ? '' : 'redis.path',
      ].filter((way) => way !== '');
      if (ways.length < 2) return;
      conflict(situation, findings, ways[0] ?? 'redis.sentinels', {
        got: ways.join(' and '),
        expected: 'one way to reach Redis',
        advice: 'Remove all but one.',
      });
    },
  },
  {
    about: ['redis.cluster', 'redis.db', 'redis.url'],
    check(situation, findings) {
      const { cluster, db } = situation.config.redis;
      if (cluster.length === 0 || db === 0) return;
      conflict(situation, findings, 'redis.db', {
        got: `${db} with redis.cluster`,
        expected: '0, the only database of a Redis Cluster',
        advice: 'Remove it.',
      });
    },
  },
  {
    about: ['socketResponseTimeoutMs', 'pingSocketsIntervalMs'],
    check({ config: { socketResponseTimeoutMs, pingSocketsIntervalMs } }, { warnings }) {
      if (pingSocketsIntervalMs === 0 || socketResponseTimeoutMs > pingSocketsIntervalMs) return;
      warnings.push({
        key: 'socketResponseTimeoutMs',
        text: `${socketResponseTimeoutMs} is not above pingSocketsIntervalMs (${pingSocketsIntervalMs}): each ping has 5 s at most to be answered`,
      });
    },
  },
  {
    about: ['inspect.stately', 'admin.enabled'],
    check({ config: { inspect, admin } }, { warnings }) {
      if (!inspect.stately || admin.enabled) return;
      warnings.push({
        key: 'inspect.stately',
        text: 'true, without admin.enabled: there is no listener that would pass on what the actors do',
      });
    },
  },
  {
    about: ['allowedOrigins'],
    check({ config: { allowedOrigins, superset }, mode }, { warnings }) {
      if (allowedOrigins.length === 0 && mode === 'production' && superset.protocol !== 'off') {
        warnings.push({
          key: 'allowedOrigins',
          text: 'empty: pages of any origin may connect as clients of Superset; list the origins, or write * to say that it is meant',
        });
      }
      for (const origin of allowedOrigins) {
        if (origin === '*' || (URL.canParse(origin) && new URL(origin).origin === origin)) continue;
        warnings.push({
          key: 'allowedOrigins',
          text: `${origin} is not an origin such as https://superset.example.com and may never match`,
        });
      }
    },
  },
];

export const rules: readonly Rule[] = [
  ...secretRules,
  ...relationRules,
  ...redisTlsRules,
  ...hookRules,
  ...workerRules,
  ...routeRules,
];
