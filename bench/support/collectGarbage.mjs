// @ts-check
/*
 * Loaded into the relay's process before the relay, with --expose-gc: a full collection when SIGUSR2 comes. What is left
 * after it is what sessions hold, and not when V8 last felt like collecting.
 */
process.on('SIGUSR2', () => {
  globalThis.gc?.();
  globalThis.gc?.();
});
