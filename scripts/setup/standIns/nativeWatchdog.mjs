// @ts-check
/*
 * Stands in for @vscode/native-watchdog in the VS Code server that tests run: ends this process when its parent is gone,
 * without a native module that would have to be compiled.
 */
/** @type {NodeJS.Timeout | undefined} */
let timer;

/** @param {number} pid */
export function start(pid) {
  if (timer) {
    return false;
  }
  timer = setInterval(() => {
    try {
      process.kill(pid, 0);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ESRCH') {
        process.exit(87);
      }
    }
  }, 1000);
  timer.unref();
  return true;
}
