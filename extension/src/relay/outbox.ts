import { join } from 'node:path';
import * as vscode from 'vscode';
import type { MessageWay } from '../../../protocol/composing.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { ApprovalDecision } from '../../../protocol/events.ts';
import type { Image } from '../../../protocol/images.ts';
import { newId } from '../../../protocol/ids.ts';
import { alreadyAnswered, answerTo, messageOf } from '../../../protocol/outbox.ts';
import type { OutboxEntry } from '../../../protocol/outbox.ts';
import type { OutboxSender } from '../../../protocol/outboxSender.ts';
import { DisposableStore } from '../disposables.ts';
import type { Log } from '../log.ts';
import type { RelayConnection } from './relayConnection.ts';

/** Messages and answers on their way to the relay. They lie in a folder of the editor, which all its windows share. */
export class Outbox implements vscode.Disposable {
  readonly #folder: string;
  readonly #relay: RelayConnection;
  readonly #log: Log;
  readonly #disposables = new DisposableStore();
  readonly #changed = this.#disposables.add(new vscode.EventEmitter<void>());
  #sender: Promise<OutboxSender> | undefined;
  #entries: readonly OutboxEntry[] = [];

  readonly onDidChange = this.#changed.event;

  /** @param storage a folder that outlives the window */
  constructor(storage: string, relay: RelayConnection, log: Log) {
    this.#folder = join(storage, 'outbox');
    this.#relay = relay;
    this.#log = log;
    this.#disposables.add(relay.onDidChangeState(() => void this.#onConnection()));
  }

  get entries(): readonly OutboxEntry[] {
    return this.#entries;
  }

  /** Resolves when the message is durable. @throws what the disk says */
  async send(
    sessionId: string,
    message: { text: string; way?: MessageWay; images?: Image[] },
    key: string,
  ): Promise<void> {
    const sender = await this.#opened();
    await sender.put({ key, relay: await this.#target(), sessionId, content: { kind: 'message', ...message } });
  }

  /**
   * Resolves when the answer is durable. The same key again changes nothing.
   * @throws `conflict` when there is another answer to this approval, or what the disk says
   */
  async answer(sessionId: string, approvalId: string, decision: ApprovalDecision, key: string): Promise<void> {
    const sender = await this.#opened();
    const before = answerTo(sender.entries, sessionId, approvalId);
    if (before && before.key !== key) {
      throw alreadyAnswered();
    }
    const content = { kind: 'answer', approvalId, decision } as const;
    await sender.put({ key, relay: await this.#target(), sessionId, content });
  }

  /**
   * As `answer`, for who has no place to show what became of it: waits for the first attempt when there is a connection.
   * @throws why the relay does not take it; then nothing of it is left
   */
  async answerNow(sessionId: string, approvalId: string, decision: ApprovalDecision): Promise<void> {
    const key = newId('key');
    await this.answer(sessionId, approvalId, decision, key);
    const sender = await this.#opened();
    const status = await sender.attempted(key);
    if (status?.kind === 'refused') {
      await sender.withdraw(key);
      const { code, message, hint } = status.problem;
      throw new SandpiperError(code, message, { hint });
    }
  }

  async withdraw(key: string): Promise<void> {
    await (await this.#opened()).withdraw(key);
  }

  async sendAgain(key: string): Promise<void> {
    await (await this.#opened()).tryAgain(key);
  }

  dispose(): void {
    void this.#sender?.then(sender => sender.dispose()).catch(() => {});
    this.#disposables.dispose();
  }

  async #onConnection(): Promise<void> {
    try {
      const sender = await this.#opened();
      const relay = this.#relay.state === 'connected' ? await this.#target() : undefined;
      // Lost again while the target was read: the loss has been told or is about to be.
      if (relay === undefined || this.#relay.state === 'connected') {
        sender.connected(relay);
      }
    } catch (thrown) {
      this.#log.error('relay', 'What waits to be sent cannot be read', thrown);
    }
  }

  #opened(): Promise<OutboxSender> {
    this.#sender ??= this.#open();
    return this.#sender;
  }

  async #open(): Promise<OutboxSender> {
    // Loaded late: activation must not pay for it.
    const [{ OutboxSender: Sender }, { OutboxFolder }] = await Promise.all([
      import('../../../protocol/outboxSender.ts'),
      import('../../../client/outboxFolder.ts'),
    ]);
    const sender = new Sender({
      storage: new OutboxFolder(this.#folder),
      send: ({ key, sessionId, content }) =>
        content.kind === 'message'
          ? this.#relay.call('session.send', { key, sessionId, ...messageOf(content) })
          : this.#relay.call('session.answer', {
              key,
              sessionId,
              approvalId: content.approvalId,
              decision: content.decision,
            }),
      onChange: () => {
        this.#entries = sender.entries;
        this.#changed.fire();
      },
    });
    await sender.load();
    return sender;
  }

  async #target(): Promise<string> {
    const target = await this.#relay.target();
    return target.kind === 'remote' ? target.url : target.dataFolder;
  }
}
