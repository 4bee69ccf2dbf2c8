import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { eventually } from '../support/eventually.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const VITE = 'node_modules/vite/bin/vite.js';

export interface RunningVite {
  readonly url: string;
  stop(): Promise<void>;
}

/** Builds an example into a folder, as its README says. */
export function viteBuild(example: string, folder: string): void {
  const args = [VITE, 'build', example, '--outDir', folder, '--emptyOutDir'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${example} was not built:\n${stdout}${stderr}`);
}

/** Runs what was built, with the application behind it. */
export const vitePreview = (example: string, folder: string, port: number): Promise<RunningVite> =>
  startVite(['preview', example, '--outDir', folder], port);

/** Runs Vite's command with these arguments, at this port. */
export async function startVite(
  args: readonly string[],
  port: number,
  env: Readonly<Record<string, string>> = {},
): Promise<RunningVite> {
  const at = ['--host', '127.0.0.1', '--port', String(port), '--strictPort'];
  const server = spawn(process.execPath, [VITE, ...args, ...at], {
    cwd: ROOT,
    env: { ...process.env, ...env },
  });
  let output = '';
  for (const stream of [server.stdout, server.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    await ended;
  };
  try {
    await eventually('the example runs', async () => {
      if (server.exitCode !== null) return true;
      return (await fetch(url)).ok;
    });
    if (server.exitCode !== null) throw new Error(`it ended with exit code ${server.exitCode}`);
  } catch (error) {
    await stop();
    throw new Error(`vite ${args.join(' ')} does not run; it said:\n${output}`, { cause: error });
  }
  return { url, stop };
}
