import { isLeft } from 'fp-ts/lib/Either.js';
import { channelTemplate } from '../routes/channel-template.ts';
import { isListed, type OwnNames, routeChannelFault } from '../routes/channel-rules.ts';
import { routePath } from '../routes/route-path.ts';
import type { Findings } from './findings.ts';
import { itemPath } from './item-problems.ts';
import { parseRedisUrl } from './redis-url.ts';
import type { Rule, Situation } from './rule.ts';
import type { Config } from './schema.ts';
import { shown } from './words.ts';

type Route = Config['routes'][number];

interface Words {
  readonly got: string;
  readonly expected: string;
  readonly advice: string;
}

/** Hears what is wrong with a field of the route that is being checked. */
type Refuse = (field: keyof Route, code: 'bad_value' | 'conflict', words: Words) => void;

/** How many groups it captures; undefined: it cannot be known. */
const checkPath = ({ path }: Route, refuse: Refuse): number | undefined => {
  const compiled = routePath(path);
  if (!isLeft(compiled)) return compiled.right.groups;
  refuse('path', 'bad_value', {
    got: `${shown(path)}: ${compiled.left}`,
    expected: "a regular expression in RE2's syntax that starts with ^/",
    advice: 'RE2 has no look-around and no references to groups, so that no path can hold up the server.',
  });
  return undefined;
};

const checkTemplate = (route: Route, groups: number | undefined, own: OwnNames, refuse: Refuse): void => {
  const { channel, channels, source } = route;
  const template = channelTemplate(channel);
  const refuseChannel = (fault: string, wanted: string, advice: string) =>
    refuse('channel', 'bad_value', { got: `${shown(channel)}: ${fault}`, expected: wanted, advice });
  if (isLeft(template)) {
    refuseChannel(template.left, 'a channel, with $1 for what the path captures first', 'Write $$ for a $.');
    return;
  }
  const used = template.right.groups;
  const missing = used.filter((group) => groups !== undefined && group > groups);
  if (missing.length > 0) {
    refuseChannel(
      `path has no group ${missing.join(', ')}`,
      `groups that path captures, of which there are ${groups}`,
      'Put what is to be captured in brackets.',
    );
  }
  if (used.length > 0) {
    if (channels.length > 0 || route.auth !== undefined) return;
    refuse('channel', 'conflict', {
      got: `${shown(channel)}, which whoever asks can make any channel`,
      expected: 'channels, or auth, beside a channel that is made of what the path captures',
      advice: 'List the channels, or their beginnings, that this route may give.',
    });
    return;
  }
  const name = template.right.channelOf([]) ?? '';
  const fault = routeChannelFault(name, source, own);
  if (fault !== undefined)
    refuseChannel(fault, 'a channel of your own', 'Name the channel that you publish to.');
  if (channels.length > 0 && !isListed(channels, name)) {
    refuse('channels', 'conflict', {
      got: `no pattern for ${shown(channel)}`,
      expected: 'the channel of the route among them',
      advice: 'Add it, or leave channels away.',
    });
  }
};

const checkRedis = ({ redis, source }: Route, refuse: Refuse, findings: Findings, key: string): void => {
  if (redis === '') return;
  if (source === 'native') {
    refuse('redis', 'conflict', {
      got: 'another Redis server for native channels',
      expected: "Signalbox's own channels from the server of redis.*, where they are",
      advice: 'Remove it.',
    });
  }
  const parsed = parseRedisUrl(redis);
  if (isLeft(parsed)) {
    refuse('redis', 'bad_value', {
      got: parsed.left,
      expected: 'a URL that starts with redis://, rediss:// or unix://',
      advice: 'Write redis://127.0.0.1:6379, or unix:///run/redis.sock for a socket.',
    });
    return;
  }
  for (const name of parsed.right.ignored) {
    findings.notes.push({ key, text: `its parameter ${name} is not known and ignored` });
  }
};

const checkFields = (route: Route, refuse: Refuse): void => {
  const { channel, upstream, format, source, contentType } = route;
  if ((channel === '') === (upstream === '')) {
    const which = channel === '' ? 'neither' : 'both';
    refuse('channel', 'conflict', {
      got: `${which} of channel and upstream`,
      expected: 'a channel, or an upstream that names it',
      advice: which === 'both' ? 'Remove one of them.' : 'Add one of them.',
    });
  }
  const ofUpstream = {
    collect: Object.keys(route.collect).length > 0,
    pull: route.pull.length > 0,
    grip: !!route.grip,
  };
  for (const [field, isSet] of Object.entries(ofUpstream)) {
    if (upstream !== '' || !isSet) continue;
    refuse(field as keyof typeof ofUpstream, 'conflict', {
      got: 'headers of an upstream that there is not',
      expected: 'upstream beside it',
      advice: 'Add the upstream, or remove it.',
    });
  }
  if (format === 'raw' && source === 'native') {
    refuse('format', 'conflict', {
      got: 'raw with native channels',
      expected: 'sse, because events of native channels are more than bytes',
      advice: 'Remove it.',
    });
  }
  if (format === 'sse' && !/^text\/event-stream\b/i.test(contentType)) {
    refuse('contentType', 'conflict', {
      got: `${shown(contentType)} with format sse`,
      expected: 'text/event-stream, which is what EventSource takes',
      advice: 'Remove it, or set format to raw.',
    });
  }
};

const check = (situation: Situation, findings: Findings): void => {
  const { config, origins } = situation;
  const source = origins.get('routes') ?? 'default';
  const own: OwnNames = {
    nativePrefix: config.native.prefix,
    streamPrefix: config.redisStreamPrefix,
    realtimePrefix: config.realtimeChannelPrefix,
  };
  for (const [index, route] of config.routes.entries()) {
    const refuse: Refuse = (field, code, words) => {
      findings.problems.push({ ...words, code, key: itemPath('routes', [index, field]), source });
    };
    const groups = checkPath(route, refuse);
    checkFields(route, refuse);
    if (route.channel !== '') checkTemplate(route, groups, own, refuse);
    checkRedis(route, refuse, findings, itemPath('routes', [index, 'redis']));
    if (route.source === 'pubsub' && route.redis === '' && situation.brokerChoice.name === 'memory') {
      findings.warnings.push({
        key: itemPath('routes', [index]),
        text: 'reads Pub/Sub channels of the embedded broker, where nobody publishes: give it redis, or configure Redis',
      });
    }
  }
};

/** What a route says about itself that its fields alone do not show. */
export const routeRules: readonly Rule[] = [
  { about: ['routes', 'native.prefix', 'redisStreamPrefix', 'realtimeChannelPrefix'], check },
];
