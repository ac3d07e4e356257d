import type { CallHandlers, CallName } from '../../../protocol/calls.ts';
import type { CallContext } from '../core/callContext.ts';
import { listChanges } from '../git/diff.ts';
import { exportBundle, exportPatch, readExport } from '../git/exports.ts';
import type { Dependencies } from './dependencies.ts';
import { chosenTree, composeLanding, repositoryCommit } from './landing.ts';
import type { Sessions } from './sessions.ts';
import { mirrorOf } from './workspace.ts';

export type LandingHandlers = Pick<CallHandlers<CallContext>, Extract<CallName, `landing.${string}`>>;

/** The calls that hand a session's work out. They change nothing in it. */
export function landingHandlers(dependencies: Dependencies, sessions: Sessions): LandingHandlers {
  return {
    'landing.describe': async ({ sessionId }) => {
      const { state } = (await sessions.get(sessionId)).log;
      const mirror = mirrorOf(dependencies, state);
      const { base, accepted, proposed, review } = state;
      const [chosen, upstream, taken, all] = await Promise.all([
        chosenTree(mirror, state, undefined),
        repositoryCommit(mirror, state),
        listChanges(mirror, base, accepted),
        listChanges(mirror, base, proposed),
      ]);
      return {
        default: chosen.from,
        accepted: { commit: accepted, stats: taken.stats },
        all: { commit: proposed, stats: all.stats },
        base,
        upstream,
        pending: review.pending,
        pendingFiles: review.pendingFiles,
        conflicts: review.conflicts.length,
      };
    },
    'landing.bundle': async ({ sessionId, from, have }) => {
      const { state, runtime } = (await sessions.get(sessionId)).log;
      const mirror = mirrorOf(dependencies, state);
      const chosen = await chosenTree(mirror, state, from);
      const { commit, branch } = await composeLanding(mirror, { state, runtime }, chosen);
      const { base, title } = state;
      const { files } = await listChanges(mirror, state.accepted, chosen.commit);
      const sensitive = files.flatMap(({ path, oldPath, sensitive: reason }) =>
        reason === undefined ? [] : [{ path, ...(oldPath === undefined ? {} : { oldPath }), reason }],
      );
      const refs = { 'refs/sandpiper/base': base, 'refs/sandpiper/landing': commit };
      return {
        from: chosen.from,
        base,
        commit,
        branch,
        title,
        sensitive,
        ...(await exportBundle(mirror, { refs, have })),
      };
    },
    'landing.patch': async ({ sessionId, from }) => {
      const { state } = (await sessions.get(sessionId)).log;
      const mirror = mirrorOf(dependencies, state);
      const chosen = await chosenTree(mirror, state, from);
      const { base } = state;
      return { from: chosen.from, base, ...(await exportPatch(mirror, base, chosen.commit)) };
    },
    'landing.read': async ({ sessionId, id, offset, maxBytes }) => {
      const { state } = (await sessions.get(sessionId)).log;
      const { content, bytes } = await readExport(mirrorOf(dependencies, state), id, offset, maxBytes);
      return { content: content.toString('base64'), bytes };
    },
  };
}
