import type { CallHandlers } from '../../../protocol/calls.ts';
import { SandpiperError, toError } from '../../../protocol/errors.ts';
import type { EventBody } from '../../../protocol/events.ts';
import { MAX_NETWORK_PLACES, type NetworkRule } from '../../../protocol/network.ts';
import { networkOf } from '../../../protocol/networkReducer.ts';
import type { SessionState } from '../../../protocol/session.ts';
import type { CallContext } from '../core/callContext.ts';
import { withBridge, type Launch } from '../egress/bridge.ts';
import { EGRESS_SOCKET, type EgressRecord } from '../egress/egressProxy.ts';
import { EGRESS_PRESETS, parseEgress } from '../egress/rules.ts';
import type { Sandbox } from '../sandboxes/provider.ts';
import type { Dependencies } from './dependencies.ts';
import type { Idempotency } from './idempotency.ts';
import type { SessionLog } from './sessionLog.ts';
import { searchSandbox } from './searchSandbox.ts';
import type { Sessions } from './sessions.ts';
import { providerOf } from './workspace.ts';

/*
 * What the programs of a session may reach: rules of the relay, of the repository and of the session itself, asked for every
 * connection; and what they tried, in the session's log.
 */

const by = 'owner';

type NetworkHandlers = Pick<
  CallHandlers<CallContext>,
  'session.network' | 'session.allowNetwork' | 'session.findSecrets' | 'session.setBudget'
>;

export function networkHandlers(
  dependencies: Dependencies,
  sessions: Sessions,
  idempotency: Idempotency,
): NetworkHandlers {
  const { egress } = dependencies;
  return {
    'session.network': async ({ sessionId }) => {
      const { state } = (await sessions.get(sessionId)).log;
      const times = egress.proxy.times(sessionId);
      return {
        proxied: await isProxied(dependencies, state),
        rules: rulesOf(dependencies, state),
        seen: networkOf(state).seen.map(place => ({ ...place, times: times(place) })),
        presets: Object.fromEntries(Object.entries(EGRESS_PRESETS).map(([name, rules]) => [name, [...rules]])),
      };
    },
    'session.setBudget': params =>
      idempotency.once('session.setBudget', params, async record => {
        const { sessionId } = params;
        const budgetUsd = params.budgetUsd ?? undefined;
        const session = await sessions.get(sessionId);
        const { state, runtime } = session.log;
        const spentUsd = state.usage.costUsd + runtime.turnUsage.costUsd;
        const text =
          budgetUsd === undefined
            ? 'The model may cost any amount in this session.'
            : `The model may cost $${budgetUsd.toFixed(2)} in this session; $${spentUsd.toFixed(2)} are spent.`;
        const { events } = await session.record(() => ({
          events: [{ type: 'noticeRaised', level: 'info', text }],
          runtime: { budgetUsd },
          call: seq => record({ seq, spentUsd }),
        }));
        dependencies.gateway.setBudget(sessionId, budgetUsd);
        return { seq: events.at(-1)?.seq ?? session.log.state.seq, spentUsd };
      }),
    'session.findSecrets': async ({ sessionId }) => {
      const { runtime } = (await sessions.get(sessionId)).log;
      if (!runtime.sandbox) {
        throw new SandpiperError('sandbox_gone', 'This session has no sandbox at the moment.', {
          hint: 'Send it a message: then there is one to search.',
        });
      }
      const sandbox = await providerOf(dependencies, runtime.sandbox.provider).attach(runtime.sandbox);
      return searchSandbox(sandbox, dependencies.secrets.list());
    },
    'session.allowNetwork': params =>
      idempotency.once('session.allowNetwork', params, async record => {
        const { sessionId, scope, allowed } = params;
        const rules = parseEgress(params.allow);
        const session = await sessions.get(sessionId);
        await requireProxied(dependencies, session.log.state);
        if (scope === 'repository' || !allowed) {
          await dependencies.ownership.confirm();
          await egress.saved.change(session.log.state.repository.id, rules, allowed);
        }
        const event: EventBody = allowed
          ? { type: 'networkAllowed', rules, scope, by }
          : { type: 'networkForbidden', rules, by };
        const { events } = await session.record(() => ({ events: [event], call: seq => record({ seq }) }));
        egress.proxy.recheck();
        return { seq: events.at(-1)?.seq ?? session.log.state.seq };
      }),
  };
}

/** The first events of a session that may reach something. @throws `invalid_params` */
export function networkOfStart(texts: readonly string[] | undefined): EventBody[] {
  const rules = (texts ?? []).flatMap(parseEgress);
  return rules.length === 0 ? [] : [{ type: 'networkAllowed', rules, scope: 'session', by }];
}

function rulesOf(
  { egress }: Dependencies,
  state: SessionState,
): { rule: NetworkRule; from: 'relay' | 'repository' | 'session' }[] {
  return [
    ...egress.relayRules.map(rule => ({ rule, from: 'relay' as const })),
    ...egress.saved.of(state.repository.id).map(rule => ({ rule, from: 'repository' as const })),
    ...networkOf(state).allowed.map(rule => ({ rule, from: 'session' as const })),
  ];
}

/**
 * Whether the relay stands between a session's programs and the network. Without isolation nothing does; where no socket of
 * the relay can be put into a sandbox its provider decides.
 */
async function isProxied(
  { providers }: Dependencies,
  { provider, isolation }: Pick<SessionState, 'provider' | 'isolation'>,
): Promise<boolean> {
  const probed = isolation === 'none' ? undefined : await providers.get(provider)?.probe();
  return probed?.capabilities.modelSocket === true;
}

/** @throws `invalid_params` where a rule would change nothing */
export async function requireProxied(
  dependencies: Dependencies,
  session: Pick<SessionState, 'provider' | 'isolation'>,
): Promise<void> {
  if (!(await isProxied(dependencies, session))) {
    const isOpen = session.isolation === 'none';
    throw new SandpiperError(
      'invalid_params',
      isOpen
        ? 'This session works without isolation: its programs reach whatever this machine does.'
        : `The network of sandboxes at "${session.provider}" is not the relay's to open.`,
      {
        hint: isOpen
          ? 'Choose a provider that isolates to limit it.'
          : 'Name hosts for all its sandboxes with SANDPIPER_NETWORK_ALLOW, or choose the provider local or docker.',
      },
    );
  }
}

/** Opens the way out of a sandbox, as far as there are rules for it. */
export async function openNetwork(
  dependencies: Dependencies,
  log: SessionLog,
  sandbox: Sandbox,
  socketFolder: string,
): Promise<void> {
  if (sandbox.isolation !== 'none') {
    await dependencies.egress.proxy.open({
      sessionId: log.state.id,
      socketFolder,
      rules: () => rulesOf(dependencies, log.state).map(({ rule }) => rule),
      onRecord: record => note(dependencies, log, record),
    });
  }
}

/** How an agent is started so that it, and what it starts, finds the way out. */
export function withNetwork(sandbox: Sandbox, launch: Launch): Launch {
  return sandbox.modelSocket && sandbox.isolation !== 'none'
    ? withBridge(launch, `${sandbox.paths.relay}/${EGRESS_SOCKET}`)
    : launch;
}

function note({ log: logger }: Dependencies, log: SessionLog, record: EgressRecord): void {
  if (isKnown(log.state, record)) {
    return;
  }
  log
    .update(state => (isKnown(state, record) ? undefined : { events: eventsOf(state, record) }))
    .catch((error: unknown) => {
      const fields = { sessionId: log.state.id, error: toError(error).message };
      logger.log('warn', 'egress', 'A connection could not be recorded', fields);
    });
}

function eventsOf(state: SessionState, { host, port, blocked }: EgressRecord): EventBody[] {
  const event: EventBody =
    blocked === undefined
      ? { type: 'networkUsed', host, port }
      : { type: 'networkBlocked', host, port, reason: blocked };
  const isLast = networkOf(state).seen.length === MAX_NETWORK_PLACES - 1;
  const text = 'Its programs try to reach very many places: more of them are not listed.';
  return isLast ? [event, { type: 'noticeRaised', level: 'warning', text }] : [event];
}

function isKnown(state: SessionState, { host, port, blocked }: EgressRecord): boolean {
  const { seen } = networkOf(state);
  return (
    seen.length >= MAX_NETWORK_PLACES ||
    seen.some(place => place.host === host && place.port === port && place.blocked === blocked)
  );
}
