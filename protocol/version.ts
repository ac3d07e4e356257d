/** The wire's version. A newer minor only adds; relay and client agree on the lower of the two. */
export const PROTOCOL_VERSION = 1;

/** Oldest version this code still speaks. */
export const OLDEST_PROTOCOL_VERSION = 1;

/** WebSocket subprotocol that a client must offer. */
export const WS_SUBPROTOCOL = 'sandpiper.v1';

/** The version both sides speak, or undefined when there is none. */
export function negotiateVersion(theirs: { newest: number; oldest: number }): number | undefined {
  const common = Math.min(PROTOCOL_VERSION, theirs.newest);
  return common >= Math.max(OLDEST_PROTOCOL_VERSION, theirs.oldest) ? common : undefined;
}
