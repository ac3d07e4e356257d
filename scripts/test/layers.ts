import type { Need } from '../setup/need.ts';

/** One kind of test, run in processes of its own. */
export interface Layer {
  name: string;
  /** What a person reads. */
  about: string;
  specs: string;
  needs: Need[];
  /** Without these nothing of the layer can run; what else is needed, its suites decide by themselves. */
  cannotDoWithout: Need[];
  /** Of each process; only what hangs gets there, also on a slow machine. */
  timeoutMs: number;
  /** Set when each file runs in a process of its own, so many at once: for a layer that waits more than it computes. */
  filesAtOnce?: number;
}

const MINUTE_MS = 60_000;

/** In the order in which they run: the quickest answer first. */
export const LAYERS: readonly Layer[] = [
  {
    name: 'unit',
    about: 'pure parts',
    specs: 'test/unit/**/*.test.ts',
    needs: [],
    cannotDoWithout: [],
    timeoutMs: 15 * MINUTE_MS,
  },
  {
    name: 'contract',
    about: 'one suite per interface, for every implementation',
    specs: 'test/contract/**/*.test.ts',
    needs: ['sqlite', 'bubblewrap', 'docker'],
    cannotDoWithout: [],
    timeoutMs: 20 * MINUTE_MS,
  },
  {
    name: 'relay',
    about: 'the real relay with a real client and the real agent',
    specs: 'test/relay/**/*.test.ts',
    needs: ['sqlite', 'bubblewrap', 'docker', 'bundles'],
    cannotDoWithout: [],
    timeoutMs: 15 * MINUTE_MS,
    filesAtOnce: 3,
  },
  {
    name: 'webview',
    about: 'the chat page in a browser',
    specs: 'test/webview/**/*.test.ts',
    needs: ['chromium', 'sqlite', 'bubblewrap', 'bundles'],
    cannotDoWithout: ['chromium'],
    timeoutMs: 20 * MINUTE_MS,
  },
  {
    name: 'editor',
    about: "inside VS Code's extension host",
    specs: 'test/editor/host/*.test.ts',
    needs: ['sqlite', 'bubblewrap', 'vscodeServer', 'chromium', 'bundles'],
    cannotDoWithout: ['vscodeServer', 'chromium'],
    timeoutMs: 20 * MINUTE_MS,
  },
  {
    name: 'ui',
    about: 'the installed extension, used as a person would',
    specs: 'test/editor/ui/**/*.test.ts',
    needs: ['sqlite', 'bubblewrap', 'vscodeServer', 'chromium', 'bundles'],
    cannotDoWithout: ['vscodeServer', 'chromium'],
    timeoutMs: 40 * MINUTE_MS,
  },
];
