import type { Effort } from '../../../protocol/composing.ts';
import type { Image } from '../../../protocol/images.ts';
import type { TodoChange } from '../../../protocol/progress.ts';
import type { ApprovalDecision, EventOf, Failure, PermissionMode, TurnOutcome } from '../../../protocol/events.ts';

/*
 * A program that does the work. An agent here is a codec and a recipe: how to launch it, what to write to its stdin, and
 * what its stdout means. It owns no process, file or timer; the journal and the session do.
 */

/** What a person may change while the agent works. */
export interface RunningSettings {
  /** Undefined: the agent's own choice, as for `effort`. */
  model: string | undefined;
  effort: Effort | undefined;
  permissionMode: PermissionMode;
}

/** Where the program is and which version; found by `Agent.find`. */
export interface FoundAgent {
  /** Absolute path on this machine. */
  path: string;
  version: string;
}

export interface LaunchSpec extends RunningSettings {
  found: FoundAgent;
  /** Path of the program inside the sandbox. */
  program: string;
  /** Folders inside the sandbox. */
  workspace: string;
  home: string;
  /** Folder of this journal segment inside the sandbox. */
  journal: string;
  /** The agent's own id of its conversation: a UUID that the relay made. */
  conversationId: string;
  /** 1 for the first process of the session; a later one resumes. */
  segment: number;
  resume: boolean;
  /** Go on with the turn that was cut off when the last process ended, without another message. Only with `resume`. */
  goOn?: boolean;
  /** How model calls leave the sandbox, and the per-session token; never a real key (I10). */
  gateway: { socket: string; token: string } | { url: string; token: string };
  /** What it may do without asking, in its own words: a tool, or a tool with a pattern. */
  rules?: readonly string[];
  /** Whether the sandbox isolates at all: a repository's own agent configuration is honoured only then. */
  isolated: boolean;
}

export interface LaunchPlan {
  argv: string[];
  env: Record<string, string>;
  /** Files to write before the start, absolute inside the sandbox. */
  files: { path: string; text: string }[];
}

/** What one line of the agent's stdout meant. Large texts are whole here; the session moves them to blobs. */
export type AgentSignal =
  /** Text being written, in order per item; `offset` 0 begins the item anew (the attempt was retried). */
  | {
      kind: 'delta';
      itemId: string;
      item: 'text' | 'thinking' | 'toolInput';
      offset: number;
      text: string;
      parentToolId?: string;
    }
  | { kind: 'text' | 'thinking'; itemId: string; text: string; parentToolId?: string }
  | { kind: 'toolStarted'; toolId: string; name: string; title: string; input: string; parentToolId?: string }
  | { kind: 'toolFinished'; toolId: string; outcome: 'ok' | 'failed' | 'denied' | 'stopped'; output: string }
  | {
      kind: 'approvalAsked';
      approvalId: string;
      approval: Omit<EventOf<'approvalAsked'>, 'type' | 'approvalId' | 'input'> & { input: string };
      /** What the codec needs to answer, stored with the approval. */
      answerContext: string;
    }
  | { kind: 'approvalWithdrawn'; approvalId: string; reason: string }
  | { kind: 'retrying'; attempt: number; maxAttempts: number; delayMs: number; status: number | null; message: string }
  | { kind: 'notice'; level: 'info' | 'warning' | 'error'; text: string; hint?: string }
  /** The agent began a turn: after a message, or by itself when background work ended. */
  | { kind: 'turnStarted' }
  | { kind: 'messageTaken'; messageId: string }
  /** What a message may begin with, after a slash: all of them, as often as the agent says so. */
  | { kind: 'commands'; commands: string[] }
  /** The agent changed its mode by itself, as after a plan was approved. */
  | { kind: 'permissionMode'; mode: PermissionMode }
  /** How much it does at this moment outside of turns: commands in the background. It must not be ended meanwhile. */
  | { kind: 'background'; tasks: number }
  /** Its list of things to do; with `replaces` all of it. */
  | { kind: 'todos'; changes: TodoChange[]; replaces: boolean }
  /** What a tool call began goes on by itself, also after its result. */
  | { kind: 'taskStarted'; toolId: string }
  | {
      kind: 'taskFinished';
      toolId: string;
      outcome: 'ok' | 'failed' | 'stopped';
      tokens?: number;
      toolUses?: number;
    }
  /** How much of the model's memory is used; `window` is all of it. */
  | { kind: 'context'; tokens: number; window?: number }
  | { kind: 'turnEnded'; outcome: TurnOutcome; failure?: Failure; durationMs: number };

/** Turns lines into signals. Its state is plain JSON, stored with the journal offset, so that a restart goes on mid-turn. */
export interface AgentDecoder {
  /** One line without its newline. Never throws: a line it cannot read becomes a notice. */
  feed(line: string): AgentSignal[];
  /** To be handed to `createDecoder` after a restart. JSON. */
  save(): string;
}

/** What a stretch of a conversation is known by: messages of the person, and items that the agent made. */
export interface ConversationParts {
  messageIds: ReadonlySet<string>;
  itemIds: ReadonlySet<string>;
}

/** A conversation that a person had with the agent by themselves, on this machine. */
export interface LocalConversation {
  id: string;
  title: string;
  /** Where they worked; empty when it is not known. */
  folder: string;
  branch: string | undefined;
  /** Milliseconds since the epoch. */
  updatedAt: number;
  bytes: number;
}

export type LocalItem =
  | { kind: 'text' | 'thinking'; id: string; at: number; text: string }
  | {
      kind: 'tool';
      id: string;
      at: number;
      name: string;
      title: string;
      /** JSON */
      input: string;
      output?: string;
      failed?: boolean;
    };

export interface LocalTurn {
  messageId: string;
  at: number;
  text: string;
  items: LocalItem[];
}

export interface ReadConversation extends LocalConversation {
  turns: LocalTurn[];
  /** The file of another conversation with the same content, in whole lines, under the ids of `turns`. */
  content: Buffer;
  /** Lines that could not be read. */
  skipped: number;
}

/** They are only read. */
export interface LocalConversations {
  /** Newest first. */
  list(): Promise<LocalConversation[]>;
  /** @throws `not_found`, `too_large`, `invalid_params` when there is nothing in it */
  read(id: string, conversationId: string): Promise<ReadConversation>;
}

export interface Agent {
  readonly id: string;
  readonly displayName: string;
  /**
   * Looks for the program: the configured path, then PATH.
   * @throws `agent_missing` or `agent_too_old`, with what to do
   */
  find(configuredPath: string | undefined): Promise<FoundAgent>;
  /** What the program is called in a sandbox that brings its own. Absent: the machine's own is used in every sandbox. */
  readonly programName?: string;
  /**
   * The version that a program in a sandbox gave as its answer to `--version`.
   * @throws `agent_missing` when that is not the program, `agent_too_old`
   */
  readonly versionFrom?: (answer: string, path: string) => string;
  plan(spec: LaunchSpec): LaunchPlan;
  createDecoder(saved: string | undefined): AgentDecoder;
  /** Lines for the agent's stdin, each ending in a newline. `messageId` makes a resend harmless. */
  encodeMessage(message: { messageId: string; text: string; images?: readonly Image[] }): string;
  encodeAnswer(approvalId: string, answerContext: string, decision: ApprovalDecision): string;
  encodeInterrupt(requestId: string): string;
  /**
   * Lines that change the settings of an agent that runs; undefined when it must be started again for that. Absent where
   * every change needs a start.
   * @param requestId unique in the session
   */
  encodeSettings?(from: RunningSettings, to: RunningSettings, requestId: string): string[] | undefined;
  /**
   * The file inside the sandbox in which the agent keeps a conversation, when it is one that grows and that can be put into
   * another sandbox.
   */
  conversationFile?(place: Pick<LaunchSpec, 'home' | 'workspace' | 'conversationId'>): string;
  /**
   * A conversation as it was before any of these came into it, as the content of the file of another conversation.
   * @param content of its file, in whole lines; written by whatever ran in the sandbox
   */
  cutConversation?(content: Uint8Array, later: ConversationParts, conversationId: string): Buffer;
  readonly local?: LocalConversations;
  /** Whether it understands the images of a message. One that does not is never sent any. */
  readonly takesImages?: boolean;
  /** Whether this version takes messages into a turn that runs and says of each when it did. */
  takesInTurn?(version: string): boolean;
  /** How often this version says that a tool runs; undefined when it does not. */
  heartbeatMs?(version: string): number | undefined;
}
