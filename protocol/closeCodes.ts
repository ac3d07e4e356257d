/** Why the relay closed a socket. Codes below 4000 are those of RFC 6455. */
export const CLOSE_CODES = {
  unsupported: { code: 1003, meaning: 'A binary frame came; frames are text' },
  tooLarge: { code: 1009, meaning: 'A frame was larger than `limits.maxFrameBytes`' },
  restarting: { code: 1012, meaning: 'The relay stops or restarts: connect again' },
  notInitialized: { code: 4002, meaning: '`initialize` did not come in time' },
  lagging: { code: 4008, meaning: 'The client took nothing for too long: connect again and subscribe from its seq' },
  versionMismatch: { code: 4010, meaning: 'No common protocol version: do not connect again before an update' },
} as const satisfies Record<string, { code: number; meaning: string }>;
