import { randomUUID } from 'node:crypto';
import type { CallResult, CheckedParams } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { BlobRef, EventBody, Isolation } from '../../../protocol/events.ts';
import { newId } from '../../../protocol/ids.ts';
import { autopilotNeedsIsolation } from '../core/autopilot.ts';
import { inspectRepository, type InspectedRepository } from '../git/inspect.ts';
import { snapshotUncommitted } from '../git/snapshot.ts';
import { stripCredentials } from '../git/source.ts';
import { firstMessage } from '../specs/specMessages.ts';
import { titleFrom } from './decisions.ts';
import type { Dependencies } from './dependencies.ts';
import type { RecordOf } from './idempotency.ts';
import { storeFirstImages } from './messageImages.ts';
import { networkOfStart, requireProxied } from './networkAccess.ts';
import { firstRuntime } from './runtime.ts';
import type { Sessions } from './sessions.ts';
import { usableSpec, workStarted, type UsableSpec } from './specHandlers.ts';
import { providerOf, requireModelUrl } from './workspace.ts';

type Params = CheckedParams<'session.create'>;

const MAX_SNAPSHOT_BYTES = 100 * 1024 * 1024;

/**
 * Writes the first events of a session. What can be refused at once is refused here, before anything is kept; what takes
 * time (mirror, sandbox, agent) happens afterwards and shows in the session.
 */
export async function createSession(
  dependencies: Dependencies,
  sessions: Sessions,
  params: Params,
  record: RecordOf,
): Promise<CallResult<'session.create'>> {
  await dependencies.requireRoom();
  const network = networkOfStart(params.network);
  const built = params.spec && (await usableSpec(dependencies.store, params.spec));
  if (!built && params.prompt === '') {
    throw new SandpiperError('invalid_params', 'A session begins with a message or with a spec.', {
      hint: 'Say what is to be done.',
    });
  }
  const isolation = await checkIsolation(dependencies, params);
  if (network.length > 0) {
    await requireProxied(dependencies, { provider: params.provider, isolation });
  }
  await dependencies.findAgent(params.agent);
  const header = await dependencies.sourceAccess.headerFor(params.source, params.token);
  const inspected = await inspectRepository(params.source, {
    ...(header === undefined ? {} : { header }),
    ...(params.base === undefined ? {} : { base: params.base }),
    withoutWorkTree: !params.includeUncommitted,
  });
  const pictures = await storeFirstImages(dependencies, params.agent, params);
  const base = params.includeUncommitted ? await snapshot(dependencies, params.source, inspected) : inspected.head;
  const sessionId = newId('ses');
  dependencies.sourceAccess.keep(sessionId, header);
  const session = await sessions
    .create({
      sessionId,
      events: firstEvents(params, { inspected, base, isolation, network, built, pictures }),
      runtime: firstRuntime(params, { source: stripCredentials(params.source), conversationId: randomUUID() }),
      call: seq => record({ sessionId, seq }),
    })
    .catch((error: unknown) => {
      dependencies.sourceAccess.forget(sessionId);
      throw error;
    });
  return { sessionId, seq: session.log.state.seq };
}

/** @throws `sandbox_unavailable`, or `isolation_consent_needed` where nothing isolates and the user has not agreed */
export async function checkIsolation(
  dependencies: Dependencies,
  params: Pick<Params, 'provider' | 'acceptNoIsolation' | 'permissionMode'>,
): Promise<Isolation> {
  const provider = providerOf(dependencies, params.provider);
  const { available, capabilities, reason, hint } = await provider.probe();
  if (!available) {
    throw new SandpiperError('sandbox_unavailable', reason ?? `The provider ${provider.id} is not available.`, {
      hint,
    });
  }
  if (!capabilities.modelSocket) {
    requireModelUrl(dependencies, provider);
  }
  if (capabilities.isolation === 'none' && !params.acceptNoIsolation) {
    throw new SandpiperError(
      'isolation_consent_needed',
      `${reason ?? 'This machine cannot isolate the agent.'} It would run with your rights on this machine.`,
      { hint: hint ?? 'Agree to run without isolation for this session, or choose another provider.' },
    );
  }
  if (capabilities.isolation === 'none' && params.permissionMode === 'autopilot') {
    throw autopilotNeedsIsolation();
  }
  return capabilities.isolation;
}

function firstEvents(
  params: Params,
  start: {
    inspected: InspectedRepository;
    base: string;
    isolation: Isolation;
    network: readonly EventBody[];
    built: UsableSpec | undefined;
    pictures: { images?: BlobRef[] };
  },
): EventBody[] {
  const { inspected, base, isolation, network, built, pictures } = start;
  const messageId = newId('msg');
  const origin = params.origin === undefined ? {} : { origin: params.origin };
  const text = [params.prompt, ...(built ? [firstMessage(built.spec)] : [])].filter(part => part !== '').join('\n\n');
  return [
    {
      type: 'sessionCreated',
      title: params.title ?? built?.row.title ?? titleFrom(params.prompt),
      repository: inspected.repository,
      base,
      includesUncommitted: base !== inspected.head,
      provider: params.provider,
      isolation,
      agent: params.agent,
      ...(params.model === undefined ? {} : { model: params.model }),
      ...(params.effort === undefined ? {} : { effort: params.effort }),
      permissionMode: params.permissionMode,
      ...origin,
    },
    ...network,
    ...inspected.notes.map(text => ({ type: 'noticeRaised', level: 'info', text }) as const),
    ...(built && params.spec ? [workStarted(built, { kind: 'build', budget: params.spec.budget, messageId })] : []),
    { type: 'messageQueued', messageId, text, by: 'owner', ...pictures, ...origin },
  ];
}

/** The user's uncommitted files as they are now: what they change afterwards is not part of the session. */
export async function snapshot(
  dependencies: Dependencies,
  source: string,
  inspected: InspectedRepository,
): Promise<string> {
  const { mirror } = await dependencies.mirrors.ensure(inspected, inspected.head);
  const commit = await snapshotUncommitted(source, mirror, inspected.head, { maxBytes: MAX_SNAPSHOT_BYTES });
  return commit ?? inspected.head;
}
