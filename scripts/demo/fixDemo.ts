import { join } from 'node:path';
import type { RelayClient } from '../../client/relayClient.ts';
import type { SessionState } from '../../protocol/session.ts';
import { plain } from '../../server/src/cli/render.ts';
import { startGithubServer } from '../../test/support/githubServer.ts';
import { DEMO_PROMPT, DEMO_SCRIPT, makeSample, testPasses } from './sample.ts';
import {
  colouredDiff,
  defer,
  modelEnv,
  printEvents,
  runProgram,
  say,
  scratchFolder,
  startRelay,
  style,
} from './stage.ts';
import { stayUp, type DemoOptions } from './stayUp.ts';

/** A failing test, Claude Code in a sandbox, the change, a push and a pull request. */
export async function fixDemo(options: DemoOptions): Promise<void> {
  const folder = await scratchFolder();
  const repository = join(folder, 'slug');
  await makeSample(repository);

  const github = await startGithubServer();
  defer(() => github.close());
  const { cloneUrl, bareFolder } = await github.createRepository('octo', 'slug', {
    from: repository,
    defaultBranch: 'main',
  });
  const added = await runProgram('git', ['-C', repository, 'remote', 'add', 'origin', cloneUrl]);
  if (added.code !== 0) {
    throw new Error(added.output);
  }
  const client = await startRelay(folder, {
    ...(await modelEnv(options.realKey, DEMO_SCRIPT)),
    SANDPIPER_GITHUB_TOKEN: github.token,
    SANDPIPER_GITHUB_HOSTS: `${github.host}=${github.apiUrl}`,
  });
  const { sessionId, files } = await fixTheTest(client, repository);
  const { diff } = await client.call('changes.diff', { sessionId });
  console.log(colouredDiff(diff));
  const { pullRequest } = await client.call('pullRequest.open', { sessionId });
  if (!(await testPasses(bareFolder, pullRequest.branch, join(folder, 'check')))) {
    throw new Error(`The test still fails on ${pullRequest.branch}.`);
  }
  say(`The test passes on ${pullRequest.branch}; the pull request is ${pullRequest.url}`);
  await stayUp(options, folder, repository);
  const { lastSeq } = await client.call('session.events', { sessionId, limit: 1 });
  console.log(`demo: ok session=${sessionId} events=${lastSeq} files=${files} pr=${pullRequest.url}`);
}

/** One session with one turn. Throws when the turn does not complete. */
async function fixTheTest(client: RelayClient, repository: string): Promise<{ sessionId: string; files: number }> {
  const { providers } = await client.call('relay.info', {});
  const isolated = providers.some(provider => provider.isolation !== 'none');
  if (!isolated) {
    say(style.yellow('This machine cannot isolate the agent. The demo goes on without, in its own scratch folder.'));
  }
  say(`${style.bold('Prompt:')} ${DEMO_PROMPT}`);
  const { sessionId } = await client.call('session.create', {
    source: repository,
    prompt: DEMO_PROMPT,
    permissionMode: isolated ? 'autopilot' : 'ask',
    acceptNoIsolation: !isolated,
  });
  defer(() => client.call('session.archive', { sessionId, archived: true }));
  const state = await watch(client, sessionId);
  const turn = state.turns[0];
  if (turn?.agent?.outcome !== 'completed') {
    const failure = turn?.agent?.failure ?? (state.phase.kind === 'blocked' ? state.phase.failure : undefined);
    throw new Error(failure ? `${failure.message} ${failure.hint ?? ''}` : 'The turn did not complete.');
  }
  return { sessionId, files: state.stats.files };
}

/** Prints the session until its first turn is done. Without isolation every tool asks, and the demo says yes. */
function watch(client: RelayClient, sessionId: string): Promise<SessionState> {
  const answered = new Set<string>();
  return new Promise((resolve, reject) => {
    const following = client.follow(sessionId, (mirror, change) => {
      if (change.kind === 'failed') {
        reject(change.error);
        return;
      }
      printEvents(change.kind === 'events' ? change.events : []);
      const { state } = mirror;
      for (const approval of state?.approvals ?? []) {
        if (!answered.has(approval.id)) {
          answered.add(approval.id);
          say(`The demo allows: ${plain(approval.title)}`);
          client
            .call('session.answer', { sessionId, approvalId: approval.id, decision: { kind: 'allow' } })
            .catch(reject);
        }
      }
      if (state && (state.turns[0]?.checkpoint || state.phase.kind === 'blocked')) {
        setImmediate(() => following.dispose());
        resolve(state);
      }
    });
  });
}
