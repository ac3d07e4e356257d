import type { ClientParams } from '../../../client/relayClient.ts';
import type { CallName, CallResult } from '../../../protocol/calls.ts';

/** What the tools reach the relay through: the relay itself answers at `/mcp`, `sandpiper mcp` is a client of it. */
export interface RelayAccess {
  /** Makes the key of a call that needs one and has none. @throws SandpiperError */
  call<N extends AccessCall>(name: N, params: ClientParams<N>): Promise<CallResult<N>>;
  /** Resolves when the session has an event after this seq, or when the signal fires. @throws not_found */
  changed(sessionId: string, afterSeq: number, signal: AbortSignal): Promise<void>;
}

/** Sockets alone can subscribe. */
type AccessCall = Exclude<CallName, 'session.subscribe' | 'session.unsubscribe'>;
