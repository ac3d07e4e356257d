import { currentCheckpoint } from '../../../protocol/checkpoints.ts';
import { toSandpiperError } from '../../../protocol/errors.ts';
import type { EventBody } from '../../../protocol/events.ts';
import type { SessionState } from '../../../protocol/session.ts';
import type { Agent, LaunchSpec } from '../agents/agent.ts';
import type { SavedSandbox } from '../archives/manifest.ts';
import { inspectRepository } from '../git/inspect.ts';
import type { Mirror } from '../git/mirror.ts';
import { acceptedRef, baseRef, proposedRef, readRef, updateRef } from '../git/refs.ts';
import type { Sandbox } from '../sandboxes/provider.ts';
import type { AgentInput } from '../store/store.ts';
import { stoppedEarly } from './failure.ts';
import { openSegment, segmentFolder } from './agentRun.ts';
import { settingsInputs, settingsOf } from './composing.ts';
import { isHalted } from './decisions.ts';
import type { Dependencies } from './dependencies.ts';
import type { Draft } from './changeBatch.ts';
import { rulesFor } from './permissionRules.ts';
import { unpackSandbox } from './savedSandbox.ts';
import type { SessionLog } from './sessionLog.ts';
import { conversationIdOf, preparesToResume, restoreConversation } from './savedConversation.ts';
import { openNetwork, withNetwork } from './networkAccess.ts';
import { packParcel } from './remoteFill.ts';
import { agentIn, wasJustFilled } from './sandboxAgent.ts';
import { cloneInto, createSandbox, providerOf, relayFolderOf, requireModelUrl } from './workspace.ts';

/** One step further, unless it was stopped or the session archived meanwhile. @throws `stopped` */
async function goOn(log: SessionLog, draft: Draft | ((state: SessionState) => Draft)): Promise<AgentInput[]> {
  const { inputs } = await log.update(state => {
    if (isHalted(state)) {
      throw stoppedEarly();
    }
    return typeof draft === 'function' ? draft(state) : draft;
  });
  return inputs;
}

/** What cannot be read must not keep the session from going on: the person is told, and the work so far is a checkpoint. */
async function unpackSaved(
  dependencies: Dependencies,
  sandbox: Sandbox,
  state: SessionState,
  saved: SavedSandbox,
): Promise<EventBody[]> {
  try {
    await unpackSandbox(dependencies, sandbox, state, saved);
    return [];
  } catch (error) {
    const failure = toSandpiperError(error);
    if (failure.code !== 'internal') {
      throw error;
    }
    const text = `What was saved of the sandbox beside its files cannot be used: ${failure.message}`;
    return [{ type: 'noticeRaised', level: 'warning', text, hint: 'The session goes on without it.' }];
  }
}

/**
 * From nothing to a sandbox with a clone in it. May be repeated after a failure at any point. A sandbox that is destroyed
 * while it is filled fails in ways that do not say so: another one is made before a person is asked. @throws `stopped`
 */
export async function prepareSandbox(dependencies: Dependencies, log: SessionLog): Promise<Sandbox> {
  try {
    return await prepareOnce(dependencies, log);
  } catch (error) {
    const { code, message } = toSandpiperError(error);
    if (code !== 'git_failed') {
      throw error;
    }
    dependencies.log.log('warn', 'session', `The sandbox is made once more: ${message}`, { sessionId: log.state.id });
    return prepareOnce(dependencies, log);
  }
}

async function prepareOnce(dependencies: Dependencies, log: SessionLog): Promise<Sandbox> {
  await goOn(log, { events: [{ type: 'preparing', step: 'mirror' }] });
  const { base, repository } = log.state;
  const found = await dependencies.findAgent(log.state.agent.id);
  const mirror = await openSessionMirror(dependencies, log);
  const { saved } = log.runtime;
  const commit = saved?.commit ?? currentCheckpoint(log.state);
  // Packed while the sandbox is made.
  const parcel = saved ? undefined : packParcel(providerOf(dependencies, log.state.provider), mirror, commit);
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
    runtime: { sandbox: sandbox.ref, sandboxSince: Date.now() },
  });
  const remade =
    log.state.agent.segment > 0 || log.state.branchedFrom !== undefined || log.state.importedFrom !== undefined;
  await cloneInto(dependencies, sandbox, log.state, { commit, parcel: await parcel, found });
  const notices = [
    ...(saved ? await unpackSaved(dependencies, sandbox, log.state, saved) : []),
    ...(remade ? await restoreConversation(dependencies, log, sandbox) : []),
  ];
  await goOn(log, {
    events: [...notices, { type: 'preparing', step: 'agent' }],
    runtime: { cloned: true, saved: undefined, ...(remade ? { remade } : {}) },
  });
  if (sandbox.isolation === 'process') {
    const { provider, agent } = log.state;
    dependencies.spares.wish({ provider, repository, agent: agent.id, commit: base });
  }
  return sandbox;
}

/** The mirror with all that the session stands on. @throws as fillMirror() does */
export async function openSessionMirror(dependencies: Dependencies, log: SessionLog): Promise<Mirror> {
  const { id, base, repository, accepted, proposed } = log.state;
  const existing = dependencies.mirrors.open(repository.id);
  const mirror =
    existing && (await readRef(existing, baseRef(base))) !== undefined ? existing : await fillMirror(dependencies, log);
  dependencies.sourceAccess.forget(id);
  // Both refs keep the base alive in the mirror, also when it is a snapshot that no branch names.
  await Promise.all([updateRef(mirror, acceptedRef(id), accepted), updateRef(mirror, proposedRef(id), proposed)]);
  return mirror;
}

/** @throws `forge_unauthorized` when the source is private and the credential that came with the call is gone */
async function fillMirror(dependencies: Dependencies, { state, runtime }: SessionLog): Promise<Mirror> {
  const header = await dependencies.sourceAccess.headerOf(state.id, runtime.source);
  const inspected = await inspectRepository(runtime.source, {
    withoutWorkTree: true,
    ...(header === undefined ? {} : { header }),
  });
  return (await dependencies.mirrors.ensure(inspected, state.base, header)).mirror;
}

/**
 * Starts the agent's next process: the first of the session, or one that resumes its conversation. `runtime.starting`
 * names the process as long as it may be there without a word of it in the log.
 * @returns what the agent must hear first: settings that were changed while it started
 * @throws `stopped` when the session was halted meanwhile; the process must then be ended
 */
export async function startAgent(
  dependencies: Dependencies,
  log: SessionLog,
  sandbox: Sandbox,
  agent: Agent,
): Promise<AgentInput[]> {
  const segment = log.state.agent.segment + 1;
  const isNew = wasJustFilled(sandbox);
  const resume = await preparesToResume(dependencies, log, sandbox, agent, isNew);
  const found = await agentIn(sandbox, agent, await dependencies.findAgent(agent.id));
  const folder = segmentFolder(sandbox, segment);
  const journal = openSegment(sandbox, segment, dependencies.ownership.epoch);
  const gateway = await openGateway(dependencies, log, sandbox);
  const settings = settingsOf(log.state);
  const rules = await rulesFor(dependencies.store, log.state);
  const plan = agent.plan({
    found,
    program: found.path,
    workspace: sandbox.paths.workspace,
    home: sandbox.paths.home,
    journal: folder,
    rules,
    conversationId: conversationIdOf(log),
    segment,
    resume,
    goOn: resume && log.state.recovering !== undefined && log.state.interrupted !== undefined,
    ...settings,
    gateway,
    isolated: sandbox.isolation !== 'none',
  });
  // What is there already was left by a start whose event was not written: it has had no input.
  const leftOver =
    log.runtime.starting === segment || (!isNew && !(await sandbox.readFrom(`${folder}/out`, 0, 1)).missing);
  await goOn(log, { events: [], runtime: { starting: segment } });
  if (leftOver) {
    await journal.kill();
    await sandbox.exec(['rm', '-rf', folder], { timeoutMs: 30_000 });
  }
  for (const file of plan.files) {
    await sandbox.writeFile(file.path, Buffer.from(file.text));
  }
  const { argv, env } = withNetwork(sandbox, plan);
  await journal.start(argv, { cwd: sandbox.paths.workspace, env });
  return goOn(log, state => {
    const change = { from: settings, to: settingsOf(state) };
    const hears = settingsInputs(agent, segment, {}, change, state.seq + 1);
    return {
      events: [{ type: 'agentStarted', agent: agent.id, version: found.version, segment, resumed: resume }],
      inputs: hears.inputs,
      runtime: {
        inputs: 0,
        answerContexts: {},
        starting: undefined,
        releasing: undefined,
        stopping: undefined,
        backgroundTasks: 0,
        agentSince: Date.now(),
        releaseReason: undefined,
        outdated: undefined,
        settingLines: 0,
        ...hears.runtime,
      },
    };
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
  const url = sandbox.modelSocket
    ? undefined
    : requireModelUrl(dependencies, providerOf(dependencies, sandbox.ref.provider));
  const socketFolder = url === undefined ? await relayFolderOf(dependencies, id) : undefined;
  if (socketFolder !== undefined) {
    await openNetwork(dependencies, log, sandbox, socketFolder);
  }
  const { socketName } = await dependencies.gateway.open({
    sessionId: id,
    token,
    ...(socketFolder === undefined ? {} : { socketFolder }),
    spentUsd: usage.costUsd + log.runtime.turnUsage.costUsd,
    ...(log.runtime.budgetUsd === undefined ? {} : { budgetUsd: log.runtime.budgetUsd }),
  });
  return url === undefined ? { socket: `${sandbox.paths.relay}/${socketName ?? ''}`, token } : { url, token };
}
