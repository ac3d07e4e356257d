import { SandpiperError } from '../../../protocol/errors.ts';
import { t } from '../../../protocol/text.ts';

/**
 * A link of agent text that may be opened outside the editor.
 * @throws `forbidden` for everything but plain web addresses: `command:`, `file:`, `vscode:` and the like run things here
 */
export function externalUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed && /^https?:$/.test(parsed.protocol) && parsed.username === '' && parsed.password === '') {
    return parsed.href;
  }
  throw new SandpiperError('forbidden', t('This link is not a web address, so it was not opened.'), {
    hint: t('Copy it if you trust it.'),
  });
}
