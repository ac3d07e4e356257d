import type { CallResult } from '../../../protocol/calls.ts';
import { t } from '../../../protocol/text.ts';

type RelayInfo = CallResult<'relay.info'>;
type Providers = RelayInfo['providers'];

/** The setting that leaves the choice to what there is. */
const AUTOMATIC = 'auto';

/** Whether a session here would run without isolation, which needs the user's consent each time. */
export function needsConsent(providers: Providers, wanted: string): boolean {
  const chosen = choose(providers, wanted);
  return chosen?.available === true && chosen.isolation === 'none';
}

/**
 * The provider to ask for: the one of the setting, whatever its state, because the relay says best why it cannot be; else the
 * first available one that isolates. Nothing when there is none.
 */
export function pickProvider(providers: Providers, wanted: string): { provider?: string } {
  const chosen = wanted === AUTOMATIC ? choose(providers, wanted)?.id : wanted;
  return chosen === undefined ? {} : { provider: chosen };
}

/** With the one that a session would get before the others. */
export function orderProviders(providers: Providers, wanted: string): Providers {
  const chosen = choose(providers, wanted);
  return wanted === AUTOMATIC || !chosen ? providers : [chosen, ...providers.filter(({ id }) => id !== chosen.id)];
}

function choose(providers: Providers, wanted: string): Providers[number] | undefined {
  if (wanted !== AUTOMATIC) {
    return providers.find(({ id }) => id === wanted);
  }
  const available = providers.filter(provider => provider.available);
  return available.find(provider => provider.isolation !== 'none') ?? available[0];
}

/** What the user should read before starting, one sentence each. That the key is missing, the page says by itself. */
export function draftNotes(
  info: RelayInfo,
  repository: CallResult<'repository.inspect'> | undefined,
  wanted: string,
): string[] {
  const agent = info.agents[0];
  const chosen = choose(info.providers, wanted);
  return [
    ...(agent && !agent.available ? [agent.reason ?? t('The agent "{0}" is not installed.', agent.id)] : []),
    // What is wrong with the others is no matter here.
    ...(chosen ? [chosen] : info.providers).flatMap(provider =>
      provider.reason === undefined ? [] : [provider.reason],
    ),
    ...(repository?.detached ? [t('HEAD is detached: the session starts from that commit.')] : []),
    ...(repository?.notes ?? []),
  ];
}
