import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface MovableClock {
  /** What a relay must have in its environment, for its wall clock to be moved. */
  env: Record<string, string>;
  /** Sets the clock to so many milliseconds beside the real one. */
  move(offsetMs: number): Promise<void>;
}

/** A wall clock that a test can set while the relay runs; the clock that only goes forward stays as it is. */
export async function movableClock(folder: string): Promise<MovableClock> {
  const offset = join(folder, 'clock-offset');
  const module = join(folder, 'clock.mjs');
  const source = `
    import { readFileSync } from 'node:fs';
    const real = Date.now.bind(Date);
    let offset = 0;
    setInterval(() => { offset = Number(readFileSync(${JSON.stringify(offset)}, 'utf8')) || 0; }, 20).unref();
    const RealDate = Date;
    globalThis.Date = class extends RealDate {
      constructor(...args) { if (args.length === 0) super(real() + offset); else super(...args); }
      static now() { return real() + offset; }
    };
  `;
  await Promise.all([writeFile(offset, '0'), writeFile(module, source)]);
  return {
    env: { NODE_OPTIONS: `--import ${module}` },
    move: offsetMs => writeFile(offset, String(offsetMs)),
  };
}
