// Loaded into a process that is measured, by `--import` and with `--expose-gc`: answers what it keeps, in bytes.
process.on('message', () => {
  globalThis.gc();
  // What the first collection finalises, the second one frees.
  setTimeout(() => {
    globalThis.gc();
    const { heapUsed, external } = process.memoryUsage();
    process.send(heapUsed + external);
  }, 200);
});
process.channel.unref();
