/** What HTTP clients may cost. Sizes in bytes, times in milliseconds. */
export interface HttpLimits {
  maxBodyBytes: number;
  /** Read and thrown away of a body that is refused, so that its sender gets to see the answer. */
  maxDiscardedBytes: number;
  maxStreams: number;
  streamHighWaterBytes: number;
  streamStallTimeoutMs: number;
  streamHeartbeatMs: number;
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  /** As a frame of a socket: a message with images fits. */
  maxBodyBytes: 4 * 1024 * 1024,
  maxDiscardedBytes: 16 * 1024 * 1024,
  maxStreams: 256,
  streamHighWaterBytes: 1024 * 1024,
  streamStallTimeoutMs: 30_000,
  streamHeartbeatMs: 15_000,
};
