import texts from '../../../l10n/bundle.l10n.de.json' with { type: 'json' };
import { RELAY_TEXTS, tellerOf } from '../../../protocol/relayTexts.ts';
import { useTexts } from '../../../protocol/text.ts';

export function speak(): void {
  useTexts(texts, 'de', tellerOf(RELAY_TEXTS));
}
