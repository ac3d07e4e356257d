import type { CallHandlers, CallName, CheckedParams } from '../../../protocol/calls.ts';
import type { CallContext } from '../core/callContext.ts';
import type { Mirror } from '../git/mirror.ts';
import { readPolicy } from '../policy/policyFile.ts';
import type { Dependencies } from './dependencies.ts';
import { chosenTree, findForge, repositoryCommit } from './landing.ts';
import { landingPlace, tipOfBase } from './landingBase.ts';
import { policyReport } from './landingPolicy.ts';
import type { SessionLog } from './sessionLog.ts';
import type { Sessions } from './sessions.ts';
import { mirrorOf } from './workspace.ts';

export type PolicyHandlers = Pick<CallHandlers<CallContext>, Extract<CallName, `policy.${string}`>>;

/** The calls about what may land. They change nothing. */
export function policyHandlers(dependencies: Dependencies, sessions: Sessions): PolicyHandlers {
  return {
    'policy.check': async params => {
      dependencies.secrets.holdBrought(params.token);
      const { log } = await sessions.get(params.sessionId);
      const { state } = log;
      const mirror = mirrorOf(dependencies, state);
      const [chosen, upstream] = await Promise.all([
        chosenTree(mirror, state, params.from),
        repositoryCommit(mirror, state),
      ]);
      const base = await baseOf(dependencies, mirror, log, params);
      const landing = { mirror, state, upstream, commit: chosen.commit };
      return {
        from: chosen.from,
        ...(await policyReport(landing, base ?? { commit: upstream }, dependencies.secrets.search)),
      };
    },
    'policy.validate': async ({ text }) => {
      const read = readPolicy(Buffer.from(text));
      return { violations: read.kind === 'broken' ? read.violations : [] };
    },
  };
}

/** Where it would go now; undefined without a forge or a token, when nobody can be asked. */
async function baseOf(
  dependencies: Dependencies,
  mirror: Mirror,
  { state }: Pick<SessionLog, 'state'>,
  params: CheckedParams<'policy.check'>,
): Promise<{ branch: string; commit: string } | undefined> {
  const found = findForge(dependencies, state);
  const token = found && (params.token ?? (await dependencies.forgeToken(found.repository, 'read')));
  if (!found || token === undefined) {
    return undefined;
  }
  const target = await landingPlace({ ...found, token }, state, { baseBranch: params.baseBranch });
  return { branch: target.baseBranch, commit: await tipOfBase(mirror, state.id, target) };
}
