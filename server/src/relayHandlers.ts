import type { CallHandlers } from '../../protocol/calls.ts';
import { SandpiperError, toSandpiperError } from '../../protocol/errors.ts';
import { isOlder } from '../../protocol/releases.ts';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';
import { runChecks } from './checks.ts';
import type { CallContext } from './core/callContext.ts';
import { VERSION, type Config } from './core/config.ts';
import type { OpenSignIns } from './openSignIns.ts';
import type { Dependencies } from './sessions/dependencies.ts';
import type { Upkeep } from './upkeep/upkeep.ts';

export interface RelayHandlerOptions {
  config: Config;
  dependencies: Dependencies;
  upkeep: Upkeep;
  startedAt: number;
  /** Set by `relay.setModelKey`; in memory only. */
  modelKey: { current: Config['modelKey'] };
  onHandOver: () => void;
  signIns: Pick<OpenSignIns, 'accounts'>;
}

/** The calls about the relay itself. */
export function relayHandlers({
  config,
  dependencies,
  upkeep,
  startedAt,
  modelKey,
  onHandOver,
  signIns,
}: RelayHandlerOptions): Pick<
  CallHandlers<CallContext>,
  'relay.info' | 'relay.checks' | 'relay.collect' | 'relay.setModelKey' | 'relay.handOver'
> {
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
    'relay.checks': async () => ({
      checks: await runChecks(config, dependencies, {
        hasModelKey: modelKey.current !== undefined,
        accounts: signIns.accounts(),
      }),
    }),
    'relay.collect': ({ dryRun }) => upkeep.collect(dryRun),
    'relay.handOver': async ({ version }) => {
      if (isOlder(version, VERSION)) {
        throw new SandpiperError(
          'version_mismatch',
          `This relay is version ${VERSION}; it does not give way to the older ${version}.`,
          { hint: 'Use this relay, or update the other one.', details: { version: VERSION } },
        );
      }
      onHandOver();
      return {};
    },
    'relay.setModelKey': async ({ apiKey }) => {
      modelKey.current = { kind: 'apiKey', value: apiKey };
      dependencies.secrets.hold('model set', 'model key', apiKey);
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
