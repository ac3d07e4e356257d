import type { NotificationParams } from '../../../protocol/calls.ts';
import type { SessionEvent } from '../../../protocol/events.ts';

/** An event and its JSON, made once however many clients get it. */
export interface EncodedEvent {
  seq: number;
  json: string;
}

export type Delta = NotificationParams<'session.delta'>;

/** How one transport writes what a feed carries. Compared by identity, so keep one instance per transport. */
export interface FeedEncoder {
  events(sessionId: string, events: readonly EncodedEvent[]): Buffer;
  delta(delta: Delta): Buffer;
}

/** Small enough to arrive whole over a connection that breaks often: only a whole frame is progress. */
const MAX_BATCH_CHARS = 64 * 1024;

/** Events in a row, never empty, whose encoded form is shared by all clients of a transport. */
export class EventBatch {
  readonly kind = 'events';
  readonly sessionId: string;
  readonly events: readonly EncodedEvent[];
  readonly first: number;
  readonly last: number;
  readonly chars: number;
  readonly #frames = new Map<FeedEncoder, Buffer>();

  constructor(sessionId: string, events: readonly EncodedEvent[]) {
    this.sessionId = sessionId;
    this.events = events;
    this.first = events[0]?.seq ?? 0;
    this.last = events.at(-1)?.seq ?? 0;
    this.chars = events.reduce((sum, event) => sum + event.json.length, 0);
  }

  /** The batch without what a client already has; shared when that is nothing. */
  frameAfter(seq: number, encoder: FeedEncoder): Buffer {
    if (seq >= this.first) {
      return encoder.events(
        this.sessionId,
        this.events.filter(event => event.seq > seq),
      );
    }
    return cached(this.#frames, encoder, () => encoder.events(this.sessionId, this.events));
  }
}

export class DeltaBatch {
  readonly kind = 'delta';
  readonly delta: Delta;
  readonly #frames = new Map<FeedEncoder, Buffer>();

  constructor(delta: Delta) {
    this.delta = delta;
  }

  frame(encoder: FeedEncoder): Buffer {
    return cached(this.#frames, encoder, () => encoder.delta(this.delta));
  }
}

export type Batch = EventBatch | DeltaBatch;

/** Cuts events into batches of bounded size; a single larger event is a batch of its own. */
export function toBatches(sessionId: string, events: readonly SessionEvent[]): EventBatch[] {
  const batches: EventBatch[] = [];
  let current: EncodedEvent[] = [];
  let chars = 0;
  for (const event of events) {
    const json = JSON.stringify(event);
    if (current.length > 0 && chars + json.length > MAX_BATCH_CHARS) {
      batches.push(new EventBatch(sessionId, current));
      current = [];
      chars = 0;
    }
    current.push({ seq: event.seq, json });
    chars += json.length;
  }
  return current.length === 0 ? batches : [...batches, new EventBatch(sessionId, current)];
}

/** Whether `next` continues `previous` without a hole, so that one delta can carry both. */
export function continues(previous: Delta, next: Delta): boolean {
  return (
    previous.itemId === next.itemId &&
    previous.kind === next.kind &&
    next.offset === previous.offset + previous.text.length
  );
}

function cached(frames: Map<FeedEncoder, Buffer>, encoder: FeedEncoder, make: () => Buffer): Buffer {
  let frame = frames.get(encoder);
  if (!frame) {
    frame = make();
    frames.set(encoder, frame);
  }
  return frame;
}
