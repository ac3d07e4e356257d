import type { Agent, FoundAgent } from '../agents/agent.ts';
import type { Archives } from '../archives/archives.ts';
import type { Retention } from '../core/config.ts';
import type { Logger } from '../core/log.ts';
import type { Conversations } from './conversations.ts';
import type { Ownership } from '../core/ownership.ts';
import type { Forge } from '../forges/forge.ts';
import type { Mirrors } from '../git/mirrors.ts';
import type { ModelGateway } from '../models/gateway.ts';
import type { SandboxProvider } from '../sandboxes/provider.ts';
import type { BlobStore, Store } from '../store/store.ts';
import type { SourceAccess } from './sourceAccess.ts';

/** What sessions are built on; made by the composition root. */
export interface Dependencies {
  store: Store;
  ownership: Ownership;
  blobs: BlobStore;
  /** Deleted sessions, and what was in sandboxes that were removed. */
  archives: Archives;
  retention: Retention;
  mirrors: Mirrors;
  conversations: Conversations;
  gateway: ModelGateway;
  providers: ReadonlyMap<string, SandboxProvider>;
  agents: ReadonlyMap<string, Agent>;
  forges: readonly Forge[];
  /** How private sources are read. */
  sourceAccess: SourceAccess;
  log: Logger;
  /** Holds one small folder a session, with the gateway's socket; short, because socket paths are limited. */
  runFolder: string;
  /** Where the model gateway listens when there are no unix sockets (Windows). */
  gatewayUrl: string | undefined;
  /** After this long without anything to do, agents are ended and sessions leave memory; 0: never. */
  idleMs: number;
  /** An awaited agent without any sign of life for this long is stuck. */
  stuckMs: number;
  /** @throws `disk_full` when new work has no room, `too_large` when the session's log has reached its limit */
  requireRoom(sessionId?: string): Promise<void>;
  findAgent(id: string): Promise<FoundAgent>;
  /** The token that a session's agent shows to the model gateway. The same after a restart; not stored. */
  gatewayToken(sessionId: string): string;
  /** Token for the forge when a call brings none. */
  forgeToken(forge: string): string | undefined;
}
