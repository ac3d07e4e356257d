import { signal } from '@preact/signals';
import type { CallResult } from '../../../protocol/calls.ts';
import { toSandpiperError } from '../../../protocol/errors.ts';
import type { DraftContext } from '../../../protocol/webviewApi.ts';
import type { Announcement } from '../host/host.ts';
import type { RelayConnection } from './relayConnection.ts';
import { t } from '../../../protocol/text.ts';

const SOURCE = 'sandpiper.source';

type Providers = CallResult<'relay.info'>['providers'];

/** Which repository a new session works on, typed by the user, and what is known of it. */
export class NewSessionSource {
  readonly source = signal(localStorage.getItem(SOURCE) ?? '');
  readonly #relay: Pick<RelayConnection, 'call'>;
  readonly #tell: (message: Announcement) => void;
  #generation = 0;

  constructor(relay: Pick<RelayConnection, 'call'>, tell: (message: Announcement) => void) {
    this.#relay = relay;
    this.#tell = tell;
  }

  inspect(source: string): void {
    this.source.value = source;
    localStorage.setItem(SOURCE, source);
    void this.refresh();
  }

  /** Tells the page what a session would start from. Never throws: what is wrong becomes the draft's problem. */
  async refresh(): Promise<void> {
    const generation = ++this.#generation;
    const info = await this.#relay.call('relay.info', {}).catch(() => undefined);
    const inspected = await this.#inspect();
    if (generation !== this.#generation || !info) {
      return;
    }
    const chosen = pickProvider(info.providers);
    const context: DraftContext = {
      ...inspected,
      canChoose: false,
      providers: info.providers,
      needsConsent: chosen?.isolation === 'none',
      notes: [
        ...info.agents
          .filter(agent => !agent.available)
          .map(agent => agent.reason ?? t('{0} is not installed.', agent.id)),
        ...('repository' in inspected ? inspected.repository.notes : []),
      ],
      modelKeyPresent: info.modelKey.present,
      defaults: { permissionMode: 'ask', includeUncommitted: false },
    };
    this.#tell({ type: 'draft', context });
  }

  async #inspect(): Promise<Pick<DraftContext, 'problem'> | { repository: CallResult<'repository.inspect'> }> {
    const source = this.source.peek();
    if (source === '') {
      return {};
    }
    try {
      return { repository: await this.#relay.call('repository.inspect', { source }) };
    } catch (thrown) {
      const error = toSandpiperError(thrown);
      return { problem: { ...error.toWire(), message: error.message } };
    }
  }
}

/** The first available provider that isolates; else the first available one. */
export function pickProvider(providers: Providers): Providers[number] | undefined {
  const available = providers.filter(provider => provider.available);
  return available.find(provider => provider.isolation !== 'none') ?? available[0];
}
