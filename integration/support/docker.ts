import { connect } from 'node:net';
import { getContainerRuntimeClient, ImageName } from 'testcontainers';
import { RUN_LABEL } from './run.ts';

/** The image of every Redis container: the official one unless REDIS_IMAGE names another. */
export const redisImage = () => process.env.REDIS_IMAGE ?? 'redis:7-alpine';

const PULL_LIMIT_MS = 30_000;

/** Why no container can be used here; undefined when the engine answers and the image is there. */
export async function dockerProblem(): Promise<string | undefined> {
  try {
    const client = await getContainerRuntimeClient();
    const image = ImageName.fromString(redisImage());
    if (await client.image.exists(image)) return undefined;
    await within(
      PULL_LIMIT_MS,
      client.image.pull(image),
      `${redisImage()} was not pulled in ${PULL_LIMIT_MS / 1000} s`,
    );
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The host of mapped ports as Testcontainers finds it: in a container it takes the engine's gateway. */
export async function engineHost(): Promise<string> {
  const { host } = (await getContainerRuntimeClient()).info.containerRuntime;
  // An address, because `localhost` may resolve to a ::1 that is not mapped.
  return host === 'localhost' ? '127.0.0.1' : host;
}

/** Where this mapped port is reached: on loopback wherever the engine shares it with us, else on its host. */
export async function mappedHost(port: number): Promise<string> {
  return (await isListening('127.0.0.1', port)) ? '127.0.0.1' : engineHost();
}

function isListening(host: string, port: number): Promise<boolean> {
  return new Promise((answer) => {
    const socket = connect({ host, port, timeout: 1000 });
    const settle = (listening: boolean) => () => {
      socket.destroy();
      answer(listening);
    };
    socket.once('connect', settle(true)).once('error', settle(false)).once('timeout', settle(false));
  });
}

async function within<T>(limitMs: number, work: Promise<T>, problem: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(problem)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Removes the containers that carry this run's label. */
export async function removeContainers(run: string): Promise<void> {
  const { container } = await getContainerRuntimeClient();
  const left = await container.dockerode.listContainers({
    all: true,
    filters: { label: [`${RUN_LABEL}=${run}`] },
  });
  await Promise.all(left.map(({ Id }) => container.getById(Id).remove({ force: true, v: true })));
}
