import { SandpiperError } from '../../../protocol/errors.ts';
import { idPattern } from '../../../protocol/ids.ts';
import { t } from '../../../protocol/text.ts';

const EXTENSION = 'sandpiper.sandpiper';
const SESSION = idPattern('ses');

/** A link that opens a session in an editor that is connected to the same relay. */
export function linkToSession(scheme: string, sessionId: string): string {
  return `${scheme}://${EXTENSION}/session/${sessionId}`;
}

/** The session that a link names. Anything else in a link is refused: whoever wrote it may be anybody. */
export function sessionOfLink({ path, query, fragment }: { path: string; query: string; fragment: string }): string {
  const [, kind, id = '', ...rest] = path.split('/');
  // The editor adds these of its own.
  const foreign = query.split('&').filter(part => part !== '' && !/^(vscode-reqid|windowId)=\w*$/.test(part));
  if (kind !== 'session' || !SESSION.test(id) || rest.length > 0 || foreign.length > 0 || fragment !== '') {
    throw new SandpiperError('invalid_params', t('This link to Sandpiper is not one to a session.'), {
      hint: t('Copy it anew with "Sandpiper: Copy Link to Session".'),
    });
  }
  return id;
}
