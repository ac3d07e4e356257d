import { inOrder, type OutboxEntry, type OutboxStatus } from '../../../protocol/outbox.ts';
import type { OutboxStorage } from '../../../protocol/outboxSender.ts';
import { isRecord } from '../../../protocol/isRecord.ts';

const PREFIX = 'sandpiper.outbox.';

/** The outbox in the storage of the browser, which the tabs of one relay share and which outlives them. */
export class BrowserOutbox implements OutboxStorage {
  load(): Promise<OutboxEntry[]> {
    const keys = Object.keys(localStorage).filter(name => name.startsWith(PREFIX));
    return Promise.resolve(inOrder(keys.flatMap(name => read(name) ?? [])));
  }

  add(entry: OutboxEntry): Promise<void> {
    return doing(() => localStorage.setItem(PREFIX + entry.key, JSON.stringify(entry)));
  }

  move(entry: OutboxEntry, status: OutboxStatus): Promise<boolean> {
    return doing(() => {
      const there = isThere(entry);
      if (there) {
        localStorage.setItem(PREFIX + entry.key, JSON.stringify({ ...entry, status }));
      }
      return there;
    });
  }

  remove(entry: OutboxEntry): Promise<boolean> {
    return doing(() => {
      const there = isThere(entry);
      if (there) {
        localStorage.removeItem(PREFIX + entry.key);
      }
      return there;
    });
  }
}

/** What the storage throws, when it is full for instance, is the failure of the promise. */
async function doing<T>(work: () => T): Promise<T> {
  return await Promise.resolve().then(work);
}

function isThere({ key, status }: OutboxEntry): boolean {
  return read(PREFIX + key)?.status.kind === status.kind;
}

function read(name: string): OutboxEntry | undefined {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(name) ?? 'null');
    return isEntry(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Only pages of this relay write there, so the frame is enough. */
function isEntry(value: unknown): value is OutboxEntry {
  return isRecord(value) && typeof value['key'] === 'string' && isRecord(value['content']) && isRecord(value['status']);
}
