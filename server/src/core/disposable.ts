/** Something to be let go of. Disposing twice is harmless. */
export interface Disposable {
  dispose(): void;
}

/** A disposable from a function, run at most once. */
export function disposable(release: () => void): Disposable {
  let released = false;
  return {
    dispose() {
      if (!released) {
        released = true;
        release();
      }
    },
  };
}
