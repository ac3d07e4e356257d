import { SandpiperError } from '../../../protocol/errors.ts';
import type { Agent, LaunchSpec } from '../agents/agent.ts';
import { inspectRepository } from '../git/inspect.ts';
import { acceptedRef, baseRef, proposedRef, readRef, updateRef } from '../git/refs.ts';
import type { Sandbox } from '../sandboxes/provider.ts';
import { STOPPED_EARLY } from './agentEnd.ts';
import { openSegment, segmentFolder } from './agentRun.ts';
import { isHalted } from './decisions.ts';
import type { Dependencies } from './dependencies.ts';
import type { Draft, SessionLog } from './sessionLog.ts';
import { cloneInto, createSandbox, programIn, providerOf, relayFolderOf } from './workspace.ts';

/** One step further, unless it was stopped or the session archived meanwhile. @throws `stopped` */
async function goOn(log: SessionLog, draft: Draft): Promise<void> {
  await log.update(state => {
    if (isHalted(state)) {
      throw new SandpiperError('stopped', STOPPED_EARLY.message);
    }
    return draft;
  });
}

/** From nothing to a sandbox with a clone in it. May be repeated after a failure at any point. @throws `stopped` */
export async function prepareSandbox(dependencies: Dependencies, log: SessionLog): Promise<Sandbox> {
  await goOn(log, { events: [{ type: 'preparing', step: 'mirror' }] });
  const { base, repository } = log.state;
  const found = await dependencies.findAgent(log.state.agent.id);
  const existing = dependencies.mirrors.open(repository.id);
  const mirror =
    existing && (await readRef(existing, baseRef(base))) !== undefined
      ? existing
      : (
          await dependencies.mirrors.ensure(
            await inspectRepository(log.runtime.source, { withoutWorkTree: true }),
            base,
          )
        ).mirror;
  // Both refs keep the base alive in the mirror, also when it is a snapshot that no branch names.
  await updateRef(mirror, acceptedRef(log.state.id), base);
  await updateRef(mirror, proposedRef(log.state.id), log.state.proposed);

  await goOn(log, { events: [{ type: 'preparing', step: 'sandbox' }] });
  const abandoned = log.runtime.sandbox;
  if (abandoned && !log.runtime.cloned) {
    await providerOf(dependencies, abandoned.provider).destroy(abandoned);
  }
  const sandbox = await createSandbox(dependencies, log.state, {
    acceptNoIsolation: log.runtime.acceptNoIsolation,
    found,
  });
  await goOn(log, {
    events: [
      { type: 'sandboxReady', provider: log.state.provider, isolation: sandbox.isolation, sandboxId: sandbox.ref.id },
      { type: 'preparing', step: 'clone' },
    ],
    runtime: { sandbox: sandbox.ref },
  });
  await cloneInto(dependencies, sandbox, log.state);
  await goOn(log, { events: [{ type: 'preparing', step: 'agent' }], runtime: { cloned: true } });
  return sandbox;
}

/**
 * Starts the agent's next process: the first of the session, or one that resumes its conversation. `runtime.starting`
 * names the process as long as it may be there without a word of it in the log.
 * @throws `stopped` when the session was halted meanwhile; the process must then be ended
 */
export async function startAgent(
  dependencies: Dependencies,
  log: SessionLog,
  sandbox: Sandbox,
  agent: Agent,
): Promise<void> {
  const segment = log.state.agent.segment + 1;
  // Before it took a message there is no conversation to resume.
  const resume = log.state.items.some(item => item.kind === 'message' && item.delivery === 'taken');
  const found = await dependencies.findAgent(agent.id);
  const folder = segmentFolder(sandbox, segment);
  const journal = openSegment(sandbox, segment);
  const gateway = await openGateway(dependencies, log, sandbox);
  const plan = agent.plan({
    found,
    program: programIn(sandbox, found),
    workspace: sandbox.paths.workspace,
    home: sandbox.paths.home,
    journal: folder,
    conversationId: log.runtime.conversationId,
    segment,
    resume,
    model: log.state.model,
    permissionMode: log.state.permissionMode,
    gateway,
    isolated: sandbox.isolation !== 'none',
  });
  // What is there already was left by a start whose event was not written: it has had no input.
  const leftOver = log.runtime.starting === segment || !(await sandbox.readFrom(`${folder}/out`, 0, 1)).missing;
  await goOn(log, { events: [], runtime: { starting: segment } });
  if (leftOver) {
    await journal.kill();
    await sandbox.exec(['rm', '-rf', folder], { timeoutMs: 30_000 });
  }
  for (const file of plan.files) {
    await sandbox.writeFile(file.path, Buffer.from(file.text));
  }
  await journal.start(plan.argv, { cwd: sandbox.paths.workspace, env: plan.env });
  await goOn(log, {
    events: [{ type: 'agentStarted', agent: agent.id, version: found.version, segment, resumed: resume }],
    runtime: { inputs: 0, answerContexts: {}, starting: undefined, releasing: undefined, backgroundTasks: 0 },
  });
}

/** Lets the session's agent reach its model, at the same place as before a restart. Returns the way for the agent. */
export async function openGateway(
  dependencies: Dependencies,
  log: SessionLog,
  sandbox: Sandbox,
): Promise<LaunchSpec['gateway']> {
  const { id, usage } = log.state;
  const token = dependencies.gatewayToken(id);
  const url = dependencies.gatewayUrl;
  const socketFolder = url === undefined ? await relayFolderOf(dependencies, id) : undefined;
  const { socketName } = await dependencies.gateway.open({
    sessionId: id,
    token,
    ...(socketFolder === undefined ? {} : { socketFolder }),
    spentUsd: usage.costUsd + log.runtime.turnUsage.costUsd,
    ...(log.runtime.budgetUsd === undefined ? {} : { budgetUsd: log.runtime.budgetUsd }),
  });
  return url === undefined ? { socket: `${sandbox.paths.relay}/${socketName ?? ''}`, token } : { url, token };
}
