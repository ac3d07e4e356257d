/** What one socket may cost. Sizes in bytes, times in milliseconds. */
export interface WsLimits {
  maxFrameBytes: number;
  maxSockets: number;
  maxCallsInFlight: number;
  /** Calls that may come at once, and how many a second after that. More are read later, not refused. */
  callBurst: number;
  callsPerSecond: number;
  maxSubscriptions: number;
  /** A client this many events behind gets a snapshot. */
  maxReplayEvents: number;
  snapshotItems: number;
  highWaterBytes: number;
  stallTimeoutMs: number;
  pingIntervalMs: number;
  initializeTimeoutMs: number;
}

export const DEFAULT_WS_LIMITS: WsLimits = {
  maxFrameBytes: 4 * 1024 * 1024,
  maxSockets: 256,
  maxCallsInFlight: 64,
  callBurst: 2_000,
  callsPerSecond: 1_000,
  maxSubscriptions: 500,
  maxReplayEvents: 2_000,
  snapshotItems: 200,
  highWaterBytes: 1024 * 1024,
  stallTimeoutMs: 30_000,
  pingIntervalMs: 10_000,
  initializeTimeoutMs: 10_000,
};
