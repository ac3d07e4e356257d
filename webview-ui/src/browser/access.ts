import { SandpiperError } from '../../../protocol/errors.ts';
import { isRecord } from '../../../protocol/isRecord.ts';
import { t } from '../../../protocol/text.ts';

const TOKEN = 'sandpiper.token';
const ASK_TIMEOUT_MS = 5_000;

/**
 * The token of this tab. A ticket in the address is exchanged for one, once, and taken out of the address and the
 * history; the token lives as long as the tab.
 * @throws {SandpiperError} `unauthorized` when there is neither, or the ticket is spent
 */
export async function browserToken(): Promise<string> {
  const ticket = new URLSearchParams(location.hash.slice(1)).get('ticket');
  if (ticket !== null) {
    history.replaceState(null, '', location.pathname);
    const token = await redeem(ticket);
    sessionStorage.setItem(TOKEN, token);
    return token;
  }
  const kept = sessionStorage.getItem(TOKEN);
  if (kept === null) {
    throw new SandpiperError('unauthorized', t('This page was opened without a ticket.'), { hint: reopen() });
  }
  return kept;
}

/** Whether the relay still takes the token; undefined when the relay cannot be asked. */
export async function isTokenValid(token: string): Promise<boolean | undefined> {
  try {
    const response = await fetch('/v1/relay', {
      headers: { Authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(ASK_TIMEOUT_MS),
    });
    return response.status === 401 ? false : response.ok ? true : undefined;
  } catch {
    return undefined;
  }
}

export const reopen = () => t('Open it again from VS Code or from the command line of the relay.');

async function redeem(ticket: string): Promise<string> {
  const response = await fetch('/v1/tickets/redeem', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ticket }),
  }).catch(() => undefined);
  const body: unknown = await response?.json().catch(() => undefined);
  const token = isRecord(body) ? body['token'] : undefined;
  if (response?.ok !== true || typeof token !== 'string') {
    throw new SandpiperError('unauthorized', t('The ticket of this page is used or expired.'), { hint: reopen() });
  }
  return token;
}
