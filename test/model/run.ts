import { NativeWorld } from './native-world.ts';
import { World } from './world.ts';

const STEPS = 120;

/**
 * Runs the model for `seeds` seeds from `first`, or for that of MODEL_SEED alone: a failure names its seed, and the
 * same seed fails again.
 */
export async function runModel(
  first: number,
  seeds: number,
  create: CreateWorld = (seed) => new World(seed),
): Promise<number> {
  const only = process.env['MODEL_SEED'];
  if (only !== undefined) {
    await runSeed(create(Number(only)), Number(only));
    return 1;
  }
  for (let seed = first; seed < first + seeds; seed += 1) await runSeed(create(seed), seed);
  return seeds;
}

type AnyWorld = World | NativeWorld;
export type CreateWorld = (seed: number) => AnyWorld;

/** The native protocol, several subscriptions a socket. */
export const createNativeWorld: CreateWorld = (seed) => new NativeWorld(seed);

/** The same beside an application that is slow, refuses and fails. */
export const createDecidedWorld: CreateWorld = (seed) => new NativeWorld(seed, { hasApplication: true });

/** Streams, each of several channels with one cursor. */
export const createStreamWorld: CreateWorld = (seed) => new NativeWorld(seed, { clients: 'stream' });

/** Two instances, which come and go and lag, and clients that go from one to the other, as sockets and as streams. */
export const createMovingWorld: CreateWorld = (seed) =>
  new NativeWorld(seed, { instances: 2, clients: 'both' });

async function runSeed(world: AnyWorld, seed: number): Promise<void> {
  try {
    await world.start();
    for (let step = 0; step < STEPS; step += 1) await world.step();
    await world.finish();
  } catch (error) {
    const at = `step ${world.history.length} (${world.history.at(-1)})`;
    throw new Error(`MODEL_SEED=${seed} fails at ${at}: ${String(error)}`, { cause: error });
  }
}
