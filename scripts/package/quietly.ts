/** Runs vsce without the tree and the advice that it prints; what it fails at is thrown all the same. */
export async function quietly(work: () => Promise<void>): Promise<void> {
  const { log, warn } = console;
  console.log = () => undefined;
  console.warn = () => undefined;
  try {
    await work();
  } finally {
    console.log = log;
    console.warn = warn;
  }
}
