import type { RelayClient } from '../../../client/relayClient.ts';
import { findSession } from './connection.ts';
import { EXIT } from './exitCodes.ts';
import { createStyle, plain } from './render.ts';

const TIMEOUT_MS = 15 * 60_000;

/** `doctor --session`: proves that nothing of what the relay holds is in a live sandbox. */
export async function sessionDoctor(client: RelayClient, session: string, json: boolean): Promise<number> {
  const sessionId = await findSession(client, session);
  const proof = await client.call('session.findSecrets', { sessionId }, { timeoutMs: TIMEOUT_MS });
  const isClean = proof.found.length === 0 && proof.controlFound;
  if (json) {
    process.stdout.write(`${JSON.stringify({ ok: isClean, ...proof })}\n`);
    return isClean ? EXIT.ok : EXIT.failed;
  }
  const style = createStyle(process.stdout.isTTY);
  const lines = [
    ...proof.secrets.map(({ name, spellings }) => {
      const places = proof.found.filter(found => found.name === name).map(({ where }) => plain(where));
      return places.length === 0
        ? `${style.green('ok     ')} ${name}: not there, in none of ${spellings} spellings`
        : `${style.red('failed ')} ${name}: in ${places.join(', ')}`;
    }),
    ...(proof.secrets.length === 0 ? [`${style.yellow('warning')} the relay holds nothing to look for`] : []),
    proof.controlFound
      ? `${style.green('ok     ')} a value that was planted for this search was found`
      : `${style.red('failed ')} a value that was planted for this search was not found: it proves nothing`,
    `        searched ${proof.processes} processes, ${proof.files} files, git, ${proof.bytes} bytes in all`,
    ...proof.notSearched.map(what => `        not searched: ${plain(what)}`),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return isClean ? EXIT.ok : EXIT.failed;
}
