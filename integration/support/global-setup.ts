import { RedisContainer } from '@testcontainers/redis';
import { chooseRedis } from './choice.ts';
import { installPrograms } from './debian.ts';
import { mappedHost, redisImage } from './docker.ts';
import { startLocalNode } from './local-node.ts';
import { createRunFolder, RUN_LABEL, runName } from './run.ts';

/** Chooses the Redis of the integration tests, says which, and starts the one they share. */
export default async function setup({
  testPathPatterns,
}: {
  readonly testPathPatterns: { readonly patterns: readonly string[] };
}): Promise<void> {
  const { backend, url, sentence } = await chooseRedis();
  process.stdout.write(`Redis for the tests: ${sentence}\n`);
  // Whoever runs some tests has what they need, or is told.
  if (testPathPatterns.patterns.length === 0) await installPrograms();
  const folder = createRunFolder();
  process.env.SIGNALBOX_TEST_RUN = folder;
  process.env.SIGNALBOX_TEST_BACKEND = backend ?? '';
  // Known before the shared node starts, which makes its folder through it.
  process.env.SIGNALBOX_TEST_REDIS = url ?? '';
  if (url !== undefined) return;
  process.env.SIGNALBOX_TEST_REDIS =
    backend === 'docker' ? await sharedContainer(folder) : await sharedProcess();
}

async function sharedContainer(folder: string): Promise<string> {
  const container = await new RedisContainer(redisImage())
    .withLabels({ [RUN_LABEL]: runName(folder) })
    .start();
  const port = container.getPort();
  return `redis://${await mappedHost(port)}:${port}`;
}

async function sharedProcess(): Promise<string> {
  const { host, port } = await startLocalNode({ args: (place) => ['--port', `${place.port}`, '--save', ''] });
  return `redis://${host}:${port}`;
}
