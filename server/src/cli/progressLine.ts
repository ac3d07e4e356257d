import { activityText, describeActivity } from '../../../protocol/activity.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { plain, type Style } from './render.ts';

export interface ProgressLine {
  show(state: SessionState): void;
  clear(): void;
  pause(): void;
  resume(): void;
  dispose(): void;
}

const REDRAW_MS = 500;

/**
 * One line at the bottom of the terminal that says what the session is doing and for how long.
 * @param instead is said in its place while it is there
 */
export function progressLine(style: Style, instead: () => string | undefined): ProgressLine | undefined {
  if (!process.stderr.isTTY) {
    return undefined;
  }
  let state: SessionState | undefined;
  let paused = false;
  const clear = () => process.stderr.write('\r\u001B[K');
  const draw = () => {
    const text = instead() ?? (state && plain(activityText(describeActivity(state), Date.now())));
    if (text !== undefined && !paused) {
      // Some terminals say that they have no columns.
      const columns = process.stderr.columns ?? 0;
      const width = (columns > 1 ? columns : 80) - 1;
      process.stderr.write(`\r\u001B[K${style.dim(text.slice(0, width))}`);
    }
  };
  const timer = setInterval(draw, REDRAW_MS);
  return {
    show(next) {
      state = next;
      draw();
    },
    clear() {
      if (!paused) {
        clear();
      }
    },
    pause() {
      paused = true;
      clear();
    },
    resume() {
      paused = false;
    },
    dispose() {
      clearInterval(timer);
      clear();
    },
  };
}
