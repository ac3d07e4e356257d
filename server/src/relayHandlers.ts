import type { CallHandlers } from '../../protocol/calls.ts';
import { toSandpiperError } from '../../protocol/errors.ts';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';
import { runChecks } from './checks.ts';
import type { CallContext } from './core/callContext.ts';
import { VERSION, type Config } from './core/config.ts';
import type { Dependencies } from './sessions/dependencies.ts';

export interface RelayHandlerOptions {
  config: Config;
  dependencies: Dependencies;
  startedAt: number;
  /** Set by `relay.setModelKey`; in memory only. */
  modelKey: { current: Config['modelKey'] };
}

/** The calls about the relay itself. */
export function relayHandlers({
  config,
  dependencies,
  startedAt,
  modelKey,
}: RelayHandlerOptions): Pick<CallHandlers<CallContext>, 'relay.info' | 'relay.checks' | 'relay.setModelKey'> {
  return {
    'relay.info': async () => ({
      version: VERSION,
      protocolVersion: PROTOCOL_VERSION,
      startedAt,
      pid: process.pid,
      dataFolder: config.dataFolder,
      providers: await Promise.all(
        [...dependencies.providers.values()].map(async provider => {
          const { available, capabilities, reason } = await provider.probe();
          return {
            id: provider.id,
            available,
            isolation: capabilities.isolation,
            ...(reason === undefined ? {} : { reason }),
          };
        }),
      ),
      agents: await Promise.all([...dependencies.agents.keys()].map(id => describeAgent(dependencies, id))),
      modelKey: {
        present: modelKey.current !== undefined,
        source: modelKey.current === config.modelKey ? 'environment' : 'client',
      },
    }),
    'relay.checks': async () => ({ checks: await runChecks(config, dependencies, modelKey.current !== undefined) }),
    'relay.setModelKey': async ({ apiKey }) => {
      modelKey.current = { kind: 'apiKey', value: apiKey };
      return {};
    },
  };
}

async function describeAgent(
  dependencies: Dependencies,
  id: string,
): Promise<{ id: string; available: boolean; version?: string; reason?: string }> {
  try {
    return { id, available: true, version: (await dependencies.findAgent(id)).version };
  } catch (error) {
    return { id, available: false, reason: toSandpiperError(error).message };
  }
}
