import type { Request, RequestHandler, Response } from 'express';
import { z } from 'zod';
import { sessionIdSchema } from '../../../protocol/events.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import { invalidParams } from '../core/dispatch.ts';
import type { FeedEncoder } from '../feed/batch.ts';
import { BoundedSink } from '../feed/boundedSink.ts';
import type { SessionFeeds } from '../feed/sessionFeed.ts';
import { Subscription } from '../feed/subscription.ts';
import type { HttpLimits } from './limits.ts';

const seqSchema = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);
const streamParamsSchema = z.object({
  sessionId: sessionIdSchema,
  after: seqSchema.optional(),
  lastEventId: seqSchema.optional(),
  deltas: z.enum(['0', '1']).optional(),
});

/** `id` is the seq, so that a browser's EventSource resumes by itself. */
const sseEncoder: FeedEncoder = {
  events: (_sessionId, events) => Buffer.from(events.map(({ seq, json }) => `id: ${seq}\ndata: ${json}\n\n`).join('')),
  delta: delta => Buffer.from(`event: delta\ndata: ${JSON.stringify(delta)}\n\n`),
};

/** The log of a session as Server-Sent Events: the rest after `Last-Event-ID` or `after`, then what happens. */
export function eventStreamRoute(feeds: SessionFeeds, limits: HttpLimits): RequestHandler {
  let open = 0;
  return async (request, response) => {
    const { sessionId, afterSeq, deltas } = streamParams(request);
    const { seq } = await feeds.source.snapshot(sessionId, 0);
    if (afterSeq > seq) {
      throw new SandpiperError('stale', `The log of ${sessionId} ends at ${seq}, before ${afterSeq}.`, {
        hint: 'Read it from the beginning.',
      });
    }
    if (open >= limits.maxStreams) {
      throw new SandpiperError('unavailable', `The relay has ${open} event streams, which is its limit.`);
    }
    if (request.destroyed) {
      return;
    }
    open++;
    response.on('close', () => open--);
    streamEvents(response, feeds, limits, { sessionId, afterSeq, deltas });
  };
}

function streamParams(request: Request): { sessionId: string; afterSeq: number; deltas: boolean } {
  const parsed = streamParamsSchema.safeParse({
    ...request.query,
    ...request.params,
    lastEventId: request.get('last-event-id'),
  });
  if (!parsed.success) {
    throw invalidParams('the event stream', parsed.error.issues);
  }
  const { sessionId, after, lastEventId, deltas } = parsed.data;
  return { sessionId, afterSeq: lastEventId ?? after ?? 0, deltas: deltas === '1' };
}

function streamEvents(
  response: Response,
  feeds: SessionFeeds,
  limits: HttpLimits,
  what: { sessionId: string; afterSeq: number; deltas: boolean },
): void {
  response.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no',
  });
  const sink = new BoundedSink(
    { highWaterBytes: limits.streamHighWaterBytes, stallTimeoutMs: limits.streamStallTimeoutMs },
    {
      write: (bytes, done) => response.write(bytes, () => done()),
      onFull: () => {},
      onDrained: () => {},
      onStalled: () => response.destroy(),
    },
  );
  const subscription = new Subscription(feeds, {
    ...what,
    sink,
    encoder: sseEncoder,
    // The client's EventSource connects again and says where it was.
    onLost: () => response.end(),
  });
  const removals = feeds.source.followRemovals(removed => {
    if (removed === what.sessionId) {
      response.end();
    }
  });
  const heartbeat = setInterval(() => {
    if (!sink.full) {
      sink.send(Buffer.from(':\n\n'));
    }
  }, limits.streamHeartbeatMs);
  // Without a listener a reset connection would end the process.
  response.on('error', () => {});
  response.on('close', () => {
    clearInterval(heartbeat);
    removals.dispose();
    subscription.dispose();
    sink.close();
  });
  sink.send(Buffer.from('retry: 1000\n\n'));
  if (what.deltas) {
    for (const item of feeds.source.liveItems(what.sessionId)) {
      sink.send(sseEncoder.delta({ sessionId: what.sessionId, offset: 0, ...item }));
    }
  }
  subscription.start();
}
