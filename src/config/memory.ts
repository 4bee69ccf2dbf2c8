import { totalmem } from 'node:os';

/** The memory this process may use, in bytes: the container's limit where there is one, else the machine's. */
export const memoryLimitBytes = (): number => {
  // An unlimited cgroup reports a figure near 2^63, none at all reports 0.
  const constrained = process.constrainedMemory() ?? 0;
  const total = totalmem();
  return constrained > 0 && constrained < total ? constrained : total;
};

/** A quarter of it, and no less than one socket's least. */
export const defaultBufferBytes = (): number => Math.max(65_536, Math.floor(memoryLimitBytes() / 4));
