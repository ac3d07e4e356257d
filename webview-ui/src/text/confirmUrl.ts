import { ask } from '../state/dialogs.ts';
import type { LinkActions } from './linkClicks.ts';
import { linkTarget } from './links.ts';
import { t } from '../../../protocol/text.ts';

/** Shows where a link really leads, whatever its text says, and opens it when the user agrees. */
export async function confirmUrl(url: string, actions: Pick<LinkActions, 'openUrl'>): Promise<void> {
  const target = linkTarget(url);
  if (target?.kind !== 'web') {
    return;
  }
  const answer = await ask({
    title: t('Open {0}?', target.host),
    body: t('This link comes from the session. It opens outside of Sandpiper:'),
    code: target.url,
    confirm: t('Open Link'),
  });
  if (answer !== undefined) {
    actions.openUrl(target.url);
  }
}
