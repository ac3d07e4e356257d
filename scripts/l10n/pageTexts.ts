import { RELAY_TEXTS } from '../../protocol/relayTexts.ts';
import { keysIn } from './keys.ts';

/** Whose texts the page can show. */
const FOLDERS = ['webview-ui/src', 'protocol', 'client/link'];

/** The English of every text that the page can show. */
export async function pageTexts(root: string): Promise<Set<string>> {
  const { keys } = await keysIn(root, FOLDERS);
  return new Set([...keys.map(({ key }) => key), ...RELAY_TEXTS]);
}
