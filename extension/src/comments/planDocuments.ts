import * as vscode from 'vscode';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import type { Payload } from '../../../protocol/events.ts';
import { idPattern } from '../../../protocol/ids.ts';
import type { Approval } from '../../../protocol/session.ts';
import { PLAN_SCHEME } from '../manifest.ts';
import { RelayFiles } from '../relayFiles.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import { planIn } from './planText.ts';
import { t } from '../../../protocol/text.ts';

const SESSION = idPattern('ses');

/** A plan that an agent asked about. Its text never changes: another plan is another question. */
export interface PlanPlace {
  sessionId: string;
  approvalId: string;
}

/** The plans of agents as read-only documents, which come back with the window. */
export class PlanDocuments extends RelayFiles {
  readonly #relay: RelayLink;

  constructor(relay: RelayLink) {
    super(PLAN_SCHEME, { isReadonly: true });
    this.#relay = relay;
  }

  /** @throws `not_found` when the session asks about no plan */
  async open(sessionId: string, approvalId?: string): Promise<void> {
    const { approvals } = await this.#relay.call('session.get', { sessionId });
    const plan = approvals.find(({ id, kind }) => kind === 'plan' && (approvalId === undefined || id === approvalId));
    if (!plan) {
      throw new SandpiperError('not_found', t('This session does not ask about a plan now.'));
    }
    await vscode.commands.executeCommand('vscode.open', planUri({ sessionId, approvalId: plan.id }));
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const { byteLength } = await this.readFile(uri);
    const permissions = vscode.FilePermission.Readonly;
    return { type: vscode.FileType.File, ctime: 0, mtime: 0, size: byteLength, permissions };
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    const place = planOf(uri);
    if (!place) {
      throw vscode.FileSystemError.FileNotFound(uri);
    }
    try {
      return Buffer.from(await this.#read(place));
    } catch (thrown) {
      throw vscode.FileSystemError.Unavailable(toSandpiperError(thrown).message);
    }
  }

  async #read({ sessionId, approvalId }: PlanPlace): Promise<string> {
    const { approvals, answered } = await this.#relay.call('session.get', { sessionId });
    const asked: Approval | undefined = [...approvals, ...answered].find(({ id }) => id === approvalId);
    const plan = asked && planIn(await this.#whole(sessionId, asked.input));
    if (plan === undefined) {
      throw new SandpiperError('not_found', t('This plan is not in the session any more.'));
    }
    return plan.endsWith('\n') ? plan : `${plan}\n`;
  }

  async #whole(sessionId: string, { text, blob }: Payload): Promise<string> {
    const parts: Buffer[] = [];
    for (let offset = 0; blob && offset < blob.bytes;) {
      const { content } = await this.#relay.call('blob.read', { sessionId, hash: blob.hash, offset });
      const part = Buffer.from(content, 'base64');
      if (part.length === 0) {
        break;
      }
      parts.push(part);
      offset += part.length;
    }
    return blob ? Buffer.concat(parts).toString('utf8') : text;
  }
}

function planUri({ sessionId, approvalId }: PlanPlace): vscode.Uri {
  return vscode.Uri.from({ scheme: PLAN_SCHEME, authority: sessionId, path: '/Plan.md', query: approvalId });
}

/** The plan that a document shows. */
export function planOf({ scheme, authority, query }: vscode.Uri): PlanPlace | undefined {
  return scheme === PLAN_SCHEME && SESSION.test(authority) && query !== ''
    ? { sessionId: authority, approvalId: query }
    : undefined;
}
