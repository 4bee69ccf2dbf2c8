/** Told of what a function of the program threw, and which one it was. */
export type OnBug = (error: unknown, callback: string) => void;

/**
 * Calls each listener now. What one throws, or what its promise rejects with, is its own bug: it keeps no other from
 * being called, and would end the process if nobody took it.
 */
export function callEach<A>(
  listeners: Iterable<(argument: A) => unknown>,
  argument: A,
  onBug: OnBug,
  callback: string,
): void {
  for (const listener of listeners) void call(listener, argument, onBug, callback);
}

async function call<A>(
  listener: (argument: A) => unknown,
  argument: A,
  onBug: OnBug,
  callback: string,
): Promise<void> {
  try {
    await listener(argument);
  } catch (error) {
    onBug(error, callback);
  }
}
