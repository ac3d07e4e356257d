import { extensions } from 'vscode';

/*
 * Runs inside the extension host (bundled as CommonJS): waits until both extensions were activated by their own activation
 * events, and prints the host's performance marks of them.
 */

const PATIENCE_MS = 60_000;

interface Mark {
  name: string;
  startTime: number;
}

/** What VS Code calls. */
export async function run(): Promise<void> {
  const ids = ['sandpiper.sandpiper', 'vscode.git'];
  const deadline = Date.now() + PATIENCE_MS;
  while (!ids.every(id => extensions.getExtension(id)?.isActive)) {
    if (Date.now() > deadline) {
      throw new Error(`Not both of ${ids.join(' and ')} were activated.`);
    }
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  console.log(`activation ${JSON.stringify(ids.map(durationsOf))}`);
}

/** Milliseconds of load and of activate. */
function durationsOf(id: string): { load: number; activate: number } {
  return { load: between(id, 'LoadExtensionCode'), activate: between(id, 'ActivateExtension') };
}

function between(id: string, what: string): number {
  const at = (moment: string): number | undefined =>
    marks().findLast(({ name }) => name === `code/extHost/${moment}${what}/${id}`)?.startTime;
  const [from, to] = [at('will'), at('did')];
  if (from === undefined || to === undefined) {
    throw new Error(`The extension host has no marks of ${what} for ${id}.`);
  }
  return to - from;
}

function marks(): readonly Mark[] {
  const keeper: unknown = Reflect.get(globalThis, 'MonacoPerformanceMarks');
  const getMarks: unknown = typeof keeper === 'object' && keeper !== null ? Reflect.get(keeper, 'getMarks') : undefined;
  const list: unknown = typeof getMarks === 'function' ? Reflect.apply(getMarks, keeper, []) : [];
  return Array.isArray(list) ? list : [];
}
