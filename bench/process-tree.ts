import { readdir, readFile } from 'node:fs/promises';

const TICKS_PER_SECOND = 100;

/** A file of /proc; empty when its process has just ended. */
const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(threads.map((thread) => read(`/proc/${pid}/task/${thread}/children`)));
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}

/** A process and all that descend from it: the workers of a server are part of what it costs. */
export async function processTree(pid: number): Promise<number[]> {
  const below = await Promise.all((await childrenOf(pid)).map(processTree));
  return [pid, ...below.flat()];
}

/** User and system time in ms, from the text of `/proc/<pid>/stat`. */
export function cpuMsIn(stat: string): number {
  // The name in brackets may hold spaces and brackets; utime and stime are the 12th and 13th after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 1000) / TICKS_PER_SECOND;
}

/** Resident memory in bytes, from the text of `/proc/<pid>/status`. */
export const residentBytesIn = (status: string): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;

async function sumOf(pid: number, file: string, valueIn: (text: string) => number): Promise<number> {
  const texts = await Promise.all((await processTree(pid)).map((each) => read(`/proc/${each}/${file}`)));
  return texts.reduce((sum, text) => sum + valueIn(text), 0);
}

/** Of a process and all that descend from it, so far. What those took that have ended is not in it. */
export const cpuMsOf = (pid: number): Promise<number> => sumOf(pid, 'stat', cpuMsIn);

/** Of a process and all that descend from it; pages that they share count for each. */
export const residentBytesOf = (pid: number): Promise<number> => sumOf(pid, 'status', residentBytesIn);

/** Sends a signal to all of them, the first one first: it could start others in their place. */
export async function signalTree(pid: number, signal: NodeJS.Signals): Promise<void> {
  for (const each of await processTree(pid)) {
    try {
      process.kill(each, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
