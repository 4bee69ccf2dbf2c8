// Given to the servers that are measured, by `--import` and with `--expose-gc`.
process.on('SIGUSR2', () => {
  globalThis.gc();
  // What the first collection finalises, the second one frees.
  setTimeout(() => globalThis.gc(), 200);
});
