import type { CallHandlers } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { HookDelivery, HookForge, HookRequest, hookCalls } from '../../../protocol/hookCalls.ts';
import type { CallContext } from '../core/callContext.ts';
import { WEBHOOK_ADDRESSES } from '../core/hookConfig.ts';
import type { Idempotency } from '../sessions/idempotency.ts';
import type { DeliveryRow, RequestRow } from '../store/hookStore.ts';
import type { Store } from '../store/store.ts';
import { repositoryId, type Connections } from './connections.ts';
import type { Deliveries } from './deliveries.ts';
import { gitlabSigningToken } from './gitlabDialect.ts';
import type { HookSecret } from './hookSecret.ts';
import { stageOf } from './requestData.ts';
import type { Requests } from './requests.ts';

export type HookHandlers = Pick<CallHandlers<CallContext>, keyof typeof hookCalls>;

export interface HookHandlerOptions {
  store: Store;
  idempotency: Idempotency;
  secrets: Readonly<Record<HookForge, HookSecret>>;
  connections: Connections;
  deliveries: Deliveries;
  requests: Pick<Requests, 'retry'>;
  /** Whether a repository is on a forge that this relay knows. @param page its address */
  isKnown: (page: string) => boolean;
}

/** The calls about webhooks. */
export function hookHandlers(options: HookHandlerOptions): HookHandlers {
  const { store, idempotency, secrets, connections, deliveries, requests } = options;
  return {
    'hooks.list': async ({ state, limit }) => ({
      deliveries: (await store.hooks.listDeliveries({ ...(state === undefined ? {} : { state }), limit })).map(
        toDelivery,
      ),
      requests: (await store.hooks.listRequests({ limit })).map(toRequest),
    }),
    'hooks.show': async ({ id }) => {
      const delivery = await store.hooks.readDelivery(id.toLowerCase());
      const request = await store.hooks.readRequest(delivery?.request ?? id);
      if (!delivery && !request) {
        throw new SandpiperError('not_found', `There is no delivery "${id}".`, { hint: 'See `sandpiper hooks list`.' });
      }
      return {
        ...(delivery ? { delivery: toDelivery(delivery) } : {}),
        ...(delivery?.body === undefined ? {} : { payload: delivery.body }),
        ...(request ? { request: toRequest(request) } : {}),
      };
    },
    'hooks.retry': params =>
      idempotency.once('hooks.retry', params, async record => {
        const retried = (await deliveries.retry(params.id.toLowerCase())) || (await requests.retry(params.id));
        await store.recordCall(record({ retried }));
        return { retried };
      }),
    // The answer is not kept with the call: a secret stands in one place.
    'hooks.secret': async ({ forge, rotate }) => {
      const made = await secrets[forge].make(rotate);
      const signingToken = forge === 'gitlab' ? gitlabSigningToken(made.secret) : undefined;
      return { ...made, path: WEBHOOK_ADDRESSES[forge], ...(signingToken === undefined ? {} : { signingToken }) };
    },
    'hooks.connections': async () => ({ connections: await connections.list() }),
    'hooks.connect': params =>
      idempotency.once('hooks.connect', params, async record => {
        const { key: _key, ...said } = params;
        if (!options.isKnown(`https://${repositoryId(said.repository)}`)) {
          throw new SandpiperError('no_forge', `${said.repository} is on no forge that this relay knows.`, {
            hint: 'Name its host in SANDPIPER_GITHUB_HOSTS, SANDPIPER_GITEA_HOSTS or SANDPIPER_GITLAB_HOSTS.',
          });
        }
        const connection = await connections.connect({ ...said, at: Date.now() });
        await store.recordCall(record({ connection }));
        return { connection };
      }),
    'hooks.disconnect': params =>
      idempotency.once('hooks.disconnect', params, async record => {
        const removed = await connections.disconnect(params.repository);
        await store.recordCall(record({ removed }));
        return { removed };
      }),
  };
}

function toDelivery(row: DeliveryRow): HookDelivery {
  const { id, event, action, repository, at, state, attempts, dueAt, reason, request } = row;
  return {
    id,
    event,
    ...(action === undefined ? {} : { action }),
    ...(repository === undefined ? {} : { repository }),
    at,
    state,
    attempts,
    dueAt,
    ...(reason === undefined ? {} : { reason }),
    ...(request === undefined ? {} : { request }),
  };
}

function toRequest({ key, subject, at, state, sessionId, attempts, dueAt, reason, data }: RequestRow): HookRequest {
  return {
    key,
    subject,
    at,
    state,
    stage: stageOf(data),
    ...(sessionId === undefined ? {} : { sessionId }),
    attempts,
    dueAt,
    ...(reason === undefined ? {} : { reason }),
  };
}
