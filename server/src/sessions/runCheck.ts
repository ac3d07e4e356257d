import { toSandpiperError } from '../../../protocol/errors.ts';
import type { SpecCheck } from '../../../protocol/spec.ts';
import type { CheckResult } from '../../../protocol/specWork.ts';
import { ObjectReader } from '../git/objectReader.ts';
import { entryAt, treeOf } from '../git/tree.ts';
import type { Sandbox } from '../sandboxes/provider.ts';
import { CHECK_ENV, checkCommand, MAX_CHECK_OUTPUT_BYTES } from '../specs/checkScript.ts';
import type { Dependencies } from './dependencies.ts';
import { endPayload } from './payloads.ts';
import type { SessionLog } from './sessionLog.ts';
import { planSpec } from './specDecisions.ts';
import { mirrorOf } from './workspace.ts';

type Check = Exclude<SpecCheck, { kind: 'question' }>;
type Result = Omit<CheckResult, 'at'>;

const MAX_TREE_BYTES = 32 * 1024 * 1024;

/**
 * Runs the check that is due and writes its result down. What is run comes from the log, and the verdict is the exit code
 * and the checkpoint: nothing that the agent says. A kill in between leaves no result, and the check is run again.
 */
export async function runCheck(dependencies: Dependencies, log: SessionLog, sandbox: Sandbox): Promise<void> {
  const plan = planSpec(log.state);
  if (plan.kind !== 'check') {
    return;
  }
  const { work, round, next } = plan;
  await dependencies.ownership.confirm();
  const result = await resultOf(dependencies, log, sandbox, { check: next.check, commit: round.commit });
  await log.update(state => {
    const now = planSpec(state);
    return now.kind === 'check' &&
      now.work.seq === work.seq &&
      now.round.number === round.number &&
      now.next.key === next.key
      ? { events: [{ type: 'specChecked', work: work.seq, round: round.number, check: next.key, ...result }] }
      : undefined;
  });
}

async function resultOf(
  dependencies: Dependencies,
  log: SessionLog,
  sandbox: Sandbox,
  { check, commit }: { check: Check; commit: string },
): Promise<Result> {
  const startedAt = performance.now();
  const since = (): number => Math.round(performance.now() - startedAt);
  if (check.kind !== 'command' && !(await isInCheckpoint(dependencies, log, commit, check.path))) {
    return { outcome: 'failed', detail: `There is no file ${check.path} in the checkpoint.`, durationMs: since() };
  }
  if (check.kind === 'file') {
    return { outcome: 'passed', detail: `${check.path} is in the checkpoint.`, durationMs: since() };
  }
  const expected = check.kind === 'command' ? check.exitCode : 0;
  try {
    const { code, stdout, stderr } = await sandbox.exec(checkCommand(check.command), {
      cwd: sandbox.paths.workspace,
      env: CHECK_ENV,
      timeoutMs: check.timeoutSeconds * 1000,
      maxOutputBytes: 2 * MAX_CHECK_OUTPUT_BYTES,
    });
    const output = await endPayload(Buffer.concat([stdout, stderr]).toString('utf8'), dependencies.blobs);
    return {
      outcome: code === expected ? 'passed' : 'failed',
      detail: code === expected ? `Exit code ${code}.` : `Exit code ${code} instead of ${expected}.`,
      durationMs: since(),
      ...(output.text === '' ? {} : { output }),
    };
  } catch (error) {
    if (toSandpiperError(error).code !== 'timeout') {
      throw error;
    }
    const detail = `It did not end within ${check.timeoutSeconds} s and was killed.`;
    return { outcome: 'failed', detail, durationMs: since() };
  }
}

async function isInCheckpoint(
  dependencies: Dependencies,
  log: SessionLog,
  commit: string,
  path: string,
): Promise<boolean> {
  const reader = new ObjectReader(mirrorOf(dependencies, log.state), MAX_TREE_BYTES);
  try {
    return (await entryAt(reader, await treeOf(reader, commit), path)) !== undefined;
  } finally {
    reader.dispose();
  }
}
