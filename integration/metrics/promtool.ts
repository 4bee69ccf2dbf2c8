import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** What `promtool` says, and its exit code: Prometheus' own opinion. */
export async function promtool(
  args: readonly string[],
  input?: string,
): Promise<{ code: number; said: string }> {
  const child = spawn('promtool', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number];
  return { code, said };
}

/** Says what is missing, where it is: apt has it in the package `prometheus`. */
export function needPromtool(): void {
  if (spawnSync('promtool', ['--version']).error !== undefined) {
    throw new Error('promtool is not on the PATH: apt install prometheus');
  }
}
