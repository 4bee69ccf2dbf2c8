import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from 'testcontainers';
import { untilAnswering } from './answering.ts';
import { mappedHost, redisImage } from './docker.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import type { NodeSpec, RedisNode } from './node.ts';
import { createFolder, RUN_LABEL, runName, testRun } from './run.ts';

const FOLDER = '/signalbox';
const SOCKETS = '/sockets';

/** A `redis-server` in a container of its own, reached through one mapped port that outlives restarts. */
export async function startContainerNode(spec: NodeSpec): Promise<RedisNode> {
  const port = await freePort();
  const sockets = spec.unixSocket === undefined ? undefined : createFolder('sockets');
  const { container: runtime } = await getContainerRuntimeClient();
  // The same port inside, which no other container has: the engine gives the address of one that was killed to
  // the next one that starts, and a replica or a sentinel would take that for the server it knew.
  const place = { folder: FOLDER, port };
  let container = await create();

  async function create(): Promise<StartedTestContainer> {
    const args = [
      ...spec.args(place),
      '--bind',
      '0.0.0.0',
      '--protected-mode',
      'no',
      ...(spec.unixSocket === undefined ? [] : ['--unixsocket', `${SOCKETS}/${spec.unixSocket}`]),
    ];
    let wanted = new GenericContainer(redisImage())
      // Straight to the server: an image's entry point may change user, and Sentinel rewrites its own file.
      .withEntrypoint(['redis-server'])
      .withCommand(args)
      .withExposedPorts({ container: port, host: port })
      .withLabels({ [RUN_LABEL]: runName(testRun().folder) })
      .withCopyContentToContainer(
        Object.entries(spec.files?.(place) ?? {}).map(([name, content]) => ({
          content,
          target: `${FOLDER}/${name}`,
        })),
      )
      .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections|Sentinel ID is/));
    if (sockets !== undefined) wanted = wanted.withBindMounts([{ source: sockets, target: SOCKETS }]);
    const started = await wanted.start();
    await untilAnswering({ host: await mappedHost(port), port, tls: spec.tls === true });
    return started;
  }

  const host = await mappedHost(port);
  const engine = () => runtime.getById(container.getId());
  /** Its address on the engine's own network; the engine may give it another at each start. */
  const addressOf = async () => (await engine().inspect()).NetworkSettings.Networks.bridge?.IPAddress ?? '';
  let innerHost = await addressOf();

  async function kill(): Promise<void> {
    if (!(await engine().inspect()).State.Running) return;
    const gone = engine().wait();
    await engine().kill({ signal: 'SIGKILL' });
    await gone;
  }

  return {
    host,
    port,
    path: sockets === undefined ? undefined : `${sockets}/${spec.unixSocket}`,
    announced: () => ({ host: innerHost, port }),
    kill,
    async restart({ keepData }) {
      await kill();
      if (keepData) {
        await engine().start();
        await untilAnswering({ host, port, tls: spec.tls === true });
      } else {
        await container.stop({ remove: true, removeVolumes: true });
        container = await create();
      }
      innerHost = await addressOf();
    },
    async pause() {
      // On a busy machine the kernel may not freeze it at the first attempt: "unable to freeze".
      await eventually('the container is paused', async () => {
        if (!(await engine().inspect()).State.Paused) await engine().pause();
        return true;
      });
    },
    async resume() {
      await engine().unpause();
    },
    async stop() {
      await container.stop({ timeout: 0, remove: true, removeVolumes: true });
    },
  };
}
