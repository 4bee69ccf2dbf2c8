import { Redis } from 'ioredis';
import { install } from './debian.ts';
import { dockerProblem, redisImage } from './docker.ts';
import { hasLocalRedis } from './redis.ts';
import type { Backend } from './run.ts';

/** What the tests will use, and the sentence that says so. */
export type Choice = {
  readonly backend: Backend | undefined;
  /** The Redis given by TEST_REDIS_URL, which is shared with whoever else uses it. */
  readonly url: string | undefined;
  readonly sentence: string;
};

const HOW_TO = [
  'These tests need a real Redis, and none can be had here. Any one of these will do:',
  '  - start a Docker engine (the image is redis:7-alpine, or what REDIS_IMAGE names)',
  '  - install redis-server, so that it is on the PATH (apt install redis-server, brew install redis)',
  '  - set TEST_REDIS_URL to a Redis that may be written to; keys get a random prefix, nothing is flushed',
].join('\n');

/**
 * Chooses the Redis: TEST_REDIS_URL, else a Docker engine, else `redis-server`, else its installation.
 *
 * TEST_REDIS_BACKEND (`docker`, `local`) insists on one. Throws an error that says how to get a Redis.
 */
export async function chooseRedis(): Promise<Choice> {
  const url = process.env.TEST_REDIS_URL;
  const insisted = process.env.TEST_REDIS_BACKEND;
  const noDocker = insisted === 'local' ? 'TEST_REDIS_BACKEND=local' : await dockerProblem();
  if (url !== undefined && url !== '') {
    await mustAnswer(url);
    const backend = noDocker === undefined ? 'docker' : (await hasLocalRedis()) ? 'local' : undefined;
    return { backend, url, sentence: `${withoutPassword(url)} (TEST_REDIS_URL)` };
  }
  if (noDocker === undefined) {
    return { backend: 'docker', url: undefined, sentence: `Docker, image ${redisImage()} (Testcontainers)` };
  }
  if (insisted === 'docker') throw new Error(`TEST_REDIS_BACKEND=docker, but: ${noDocker}`);
  if ((await hasLocalRedis()) || (await install('redis-server'))) {
    return {
      backend: 'local',
      url: undefined,
      sentence: `redis-server on the PATH (no Docker: ${noDocker})`,
    };
  }
  throw new Error(HOW_TO);
}

async function mustAnswer(url: string): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  // The rejection below says it all.
  redis.on('error', () => {});
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    throw new Error(`TEST_REDIS_URL is ${withoutPassword(url)}, where no Redis answers.`, { cause: error });
  } finally {
    redis.disconnect();
  }
}

function withoutPassword(url: string): string {
  const shown = new URL(url);
  if (shown.password !== '') shown.password = '***';
  return shown.href;
}
