import { VERSION, type Config } from './core/config.ts';
import { callHandler, type RelayHandlers } from './core/dispatch.ts';
import type { Dependencies } from './sessions/dependencies.ts';
import { Idempotency } from './sessions/idempotency.ts';
import type { Call, TriggerCall } from './triggers/firings.ts';
import { Triggers } from './triggers/triggers.ts';

/** What begins sessions without a person goes through the same calls as any client. */
export async function openTriggers(
  {
    config,
    dependencies: { store, log, secrets },
    calls,
  }: { config: Config; dependencies: Dependencies; calls: Pick<RelayHandlers, TriggerCall> },
  onClose: (cleanup: () => Promise<void>) => void,
): Promise<Triggers> {
  const context = {
    client: { name: 'triggers', version: VERSION },
    connection: 'triggers',
    principal: 'owner',
  } as const;
  const call: Call = (name, params) => callHandler(calls, name, params, context);
  const triggers = await Triggers.open({
    dataFolder: config.dataFolder,
    retryMs: config.hooks.retryMs,
    store,
    idempotency: new Idempotency(store),
    log,
    call,
    onSecret: (id, secret) => secrets.hold(id, 'secret of a webhook', secret),
  });
  onClose(() => triggers.close());
  return triggers;
}
