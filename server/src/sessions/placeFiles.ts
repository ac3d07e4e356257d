import { currentCheckpoint } from '../../../protocol/checkpoints.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { RESTORE_TREE_SCRIPT } from '../git/restoreTreeScript.ts';
import type { Sandbox } from '../sandboxes/provider.ts';
import type { Dependencies } from './dependencies.ts';
import { bringCommits, scratchOf } from './sandboxMirror.ts';
import { lastLines, mirrorOf } from './workspace.ts';

const TIMEOUT_MS = 10 * 60_000;

/** Makes the files of a sandbox what a commit has, right after `commitWork`. No agent may run. May be repeated. */
export async function placeFiles(
  dependencies: Dependencies,
  sandbox: Sandbox,
  state: SessionState,
  commit: string,
): Promise<void> {
  const { journal, workspace } = sandbox.paths;
  await bringCommits(sandbox, mirrorOf(dependencies, state), [commit], [currentCheckpoint(state)]);
  const script = `${journal}/restore-tree.sh`;
  await sandbox.writeFile(script, Buffer.from(RESTORE_TREE_SCRIPT));
  const { code, stderr } = await sandbox.exec(['sh', script, workspace, scratchOf(sandbox), commit], {
    timeoutMs: TIMEOUT_MS,
  });
  if (code !== 0) {
    throw new SandpiperError('git_failed', `The files could not be written: ${lastLines(stderr)}`, {
      hint: 'Everything that was there is saved. Recover tries it again.',
    });
  }
}
