const stubs = new WeakSet<object>();

/**
 * Stands for something that acts on the world, until `system.ts` provides it: throws when it is called.
 * A test walks every composed machine and finds none left.
 */
export function stub(name: string): () => never {
  const standIn = (): never => {
    throw new Error(`not provided: ${name}`);
  };
  stubs.add(standIn);
  return standIn;
}

/** Whether an implementation of a machine is still a stand-in. */
export function isStub(implementation: unknown): boolean {
  return typeof implementation === 'function' && stubs.has(implementation);
}
