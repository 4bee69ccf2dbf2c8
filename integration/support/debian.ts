import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
// In runlevel 1 a package does not start its service, which nobody here wants.
const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };

export const isOnPath = (program: string): boolean =>
  spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program]).status === 0;

/** Installs packages where this process may: as root on a system with apt. False: it may not, or could not. */
export async function install(...packages: readonly string[]): Promise<boolean> {
  return asRoot(packages, () =>
    run('apt-get', ['install', '-y', '--no-install-recommends', ...packages], { env }),
  );
}

/** Takes one program out of a package, without what the package wants beside it. */
async function extract(program: string, debianPackage: string): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'signalbox-deb-'));
  const script = `apt-get download -q ${debianPackage} && dpkg-deb --fsys-tarfile ${debianPackage}_*.deb | tar -x -C /usr/local --strip-components=2 ./usr/bin/${program}`;
  try {
    return await asRoot([program], () => run('sh', ['-c', script], { env, cwd: folder }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function asRoot(what: readonly string[], act: () => Promise<unknown>): Promise<boolean> {
  if (process.getuid?.() !== 0 || !isOnPath('apt-get')) return false;
  try {
    await run('apt-get', ['update'], { env });
    await act();
    return true;
  } catch (error) {
    console.error(
      `${what.join(', ')} could not be installed: ${error instanceof Error ? error.message : String(error)}`,
    );
    return false;
  }
}

/**
 * Has the programs here that only some of the tests need, as far as this process may install them; those tests say what
 * is missing.
 */
export async function installPrograms(): Promise<void> {
  const missing = ['nginx', 'haproxy'].filter((program) => !isOnPath(program));
  const isMissing = !isOnPath('promtool');
  if (missing.length === 0 && !isMissing) return;
  process.stdout.write(
    `Installing ${[...missing, ...(isMissing ? ['promtool'] : [])].join(', ')} for the tests\n`,
  );
  if (missing.length > 0) await install(...missing);
  // The package of Prometheus wants seven times as much as this one program of it.
  if (isMissing) await extract('promtool', 'prometheus');
}
