import type { CallResult } from '../../../protocol/calls.ts';

type RelayInfo = CallResult<'relay.info'>;
type Providers = RelayInfo['providers'];

/** Whether a session here would run without isolation, which needs the user's consent each time. */
export function needsConsent(providers: Providers): boolean {
  const chosen = choose(providers);
  return chosen !== undefined && chosen.isolation === 'none';
}

/** The provider to ask for: the first available one that isolates; nothing when there is none, which lets the relay say why. */
export function pickProvider(providers: Providers): { provider?: string } {
  const chosen = choose(providers);
  return chosen ? { provider: chosen.id } : {};
}

function choose(providers: Providers): Providers[number] | undefined {
  const available = providers.filter(provider => provider.available);
  return available.find(provider => provider.isolation !== 'none') ?? available[0];
}

/** What the user should read before starting, one sentence each. That the key is missing, the page says by itself. */
export function draftNotes(info: RelayInfo, repository: CallResult<'repository.inspect'> | undefined): string[] {
  const agent = info.agents[0];
  return [
    ...(agent && !agent.available ? [agent.reason ?? `The agent "${agent.id}" is not installed.`] : []),
    ...info.providers.flatMap(provider => (provider.reason === undefined ? [] : [provider.reason])),
    ...(repository?.detached ? ['HEAD is detached: the session starts from that commit.'] : []),
    ...(repository?.notes ?? []),
  ];
}
