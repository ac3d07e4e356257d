import { SandpiperError } from '../../protocol/errors.ts';
import { inOrder } from '../../protocol/outbox.ts';
import type { OutboxEntry, OutboxStatus } from '../../protocol/outbox.ts';
import type { OutboxStorage } from '../../protocol/outboxSender.ts';

/** Storage that takes a moment, as a disk does, and can be seen from outside. */
export class MemoryOutbox implements OutboxStorage {
  readonly #entries: Map<string, OutboxEntry>;
  #crashed = false;

  /** @param before whose entries it goes on with, as the next program on the same disk */
  constructor(before?: MemoryOutbox) {
    this.#entries = before ? before.#entries : new Map();
  }

  keys(): string[] {
    return [...this.#entries.keys()];
  }

  /** Nothing is written any more, not even what is being written now. */
  crash(): void {
    this.#crashed = true;
  }

  async load(): Promise<OutboxEntry[]> {
    await moment();
    return inOrder(this.#entries.values());
  }

  async add(entry: OutboxEntry): Promise<void> {
    await this.#write(() => this.#entries.set(entry.key, entry));
  }

  move(entry: OutboxEntry, status: OutboxStatus): Promise<boolean> {
    return this.#write(() => {
      const there = this.#entries.get(entry.key)?.status.kind === entry.status.kind;
      if (there) {
        this.#entries.set(entry.key, { ...entry, status });
      }
      return there;
    });
  }

  remove(entry: OutboxEntry): Promise<boolean> {
    return this.#write(
      () => this.#entries.get(entry.key)?.status.kind === entry.status.kind && this.#entries.delete(entry.key),
    );
  }

  async #write<T>(change: () => T): Promise<T> {
    await moment();
    return this.#crashed ? new Promise<T>(() => {}) : change();
  }
}

/** A relay that keeps I3 over a line that fails as it is told. Of each approval it takes the first answer. */
export class OutboxRelay {
  readonly #log: { key: string; sessionId: string; text: string }[] = [];
  readonly #answered = new Map<string, { key: string; by: 'here' | 'elsewhere' }>();
  /** What happens to the calls that come next; after these they succeed. */
  readonly next: ('loseAck' | 'loseCall' | 'busy' | 'cutAfter' | 'refuse')[] = [];
  up = true;
  onCut: () => void = () => {};

  /** Another window answers, unless it has an answer already. */
  answerElsewhere(approvalId: string): void {
    if (!this.#answered.has(approvalId)) {
      this.#answered.set(approvalId, { key: 'elsewhere', by: 'elsewhere' });
    }
  }

  answerOf(approvalId: string): 'here' | 'elsewhere' | undefined {
    return this.#answered.get(approvalId)?.by;
  }

  logOf(sessionId: string): string[] {
    return this.#log.flatMap(entry => (entry.sessionId === sessionId ? [entry.text] : []));
  }

  readonly send = async ({ key, sessionId, content }: OutboxEntry): Promise<{ seq: number }> => {
    const how = this.next.shift();
    await moment();
    const lost = new SandpiperError('disconnected', 'The connection was lost.');
    if (!this.up || how === 'loseCall') {
      throw lost;
    }
    if (how === 'busy') {
      throw new SandpiperError('disk_full', 'There is no room.');
    }
    if (how === 'refuse') {
      throw new SandpiperError('conflict', 'The session is archived.');
    }
    if (content.kind === 'answer') {
      const { approvalId } = content;
      if ((this.#answered.get(approvalId)?.key ?? key) !== key) {
        throw new SandpiperError('conflict', 'This question was answered already.');
      }
      this.#answered.set(approvalId, { key, by: 'here' });
    } else if (!this.#log.some(entry => entry.key === key)) {
      this.#log.push({ key, sessionId, text: content.text });
    }
    if (how === 'cutAfter') {
      this.onCut();
    }
    if (how === 'loseAck' || how === 'cutAfter') {
      throw lost;
    }
    return { seq: this.#log.length + this.#answered.size };
  };
}

function moment(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}
