import type { NetworkRule } from '../../../protocol/network.ts';
import type { Agent, FoundAgent } from '../agents/agent.ts';
import type { Archives } from '../archives/archives.ts';
import type { Retention } from '../core/config.ts';
import type { Logger } from '../core/log.ts';
import type { Conversations } from './conversations.ts';
import type { Ownership } from '../core/ownership.ts';
import type { Forge, ForgeRepository, TokenPurpose } from '../forges/forge.ts';
import type { Mirrors } from '../git/mirrors.ts';
import type { EgressProxy } from '../egress/egressProxy.ts';
import type { SavedRules } from '../egress/savedRules.ts';
import type { ModelGateway } from '../models/gateway.ts';
import type { Secrets } from '../redaction/secrets.ts';
import type { SandboxProvider } from '../sandboxes/provider.ts';
import type { SpecNews } from '../specs/specNews.ts';
import type { BlobStore, Store } from '../store/store.ts';
import type { Spares } from './spares.ts';
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
  /** What this relay holds and nobody may read in a log. */
  secrets: Secrets;
  /** The way of programs to anything but the model. */
  egress: { proxy: EgressProxy; saved: SavedRules; relayRules: readonly NetworkRule[] };
  providers: ReadonlyMap<string, SandboxProvider>;
  /** Sandboxes that are kept ready for the next session of a repository. */
  spares: Spares;
  /** Hears of every change of a spec. */
  specNews: SpecNews;
  agents: ReadonlyMap<string, Agent>;
  forges: readonly Forge[];
  /** How private sources are read. */
  sourceAccess: SourceAccess;
  log: Logger;
  /** Where the repositories of samples are. */
  sampleFolder: string;
  /** Holds one small folder a session, with the gateway's socket; short, because socket paths are limited. */
  runFolder: string;
  /** The model gateway's address for sandboxes that cannot have its unix socket; undefined when there is none. */
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
  /** Token of the relay's own for a repository when a call brings none. @throws `forge_unauthorized`, `forge_unreachable` */
  forgeToken(repository: ForgeRepository, purpose: TokenPurpose): Promise<string | undefined>;
}
