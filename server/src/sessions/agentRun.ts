import type { Agent, AgentDecoder, AgentSignal } from '../agents/agent.ts';
import type { Disposable } from '../core/disposable.ts';
import { JournalSegment } from '../journal/journalSegment.ts';
import type { JournalLine } from '../journal/lineSplitter.ts';
import type { Sandbox } from '../sandboxes/provider.ts';
import type { AgentInput, BlobStore } from '../store/store.ts';
import { draftFrom, storeLargeText, type DurableSignal } from './signalEvents.ts';
import type { SessionLog } from './sessionLog.ts';

/** Batches that may wait for their commit. */
const MAX_BACKLOG = 16;

export interface AgentRunOptions {
  sandbox: Sandbox;
  agent: Agent;
  segment: number;
  log: SessionLog;
  blobs: BlobStore;
  /** After every commit of the agent's events. */
  onProgress(): void;
  /** Once, after the last event of the agent is committed. */
  onEnd(exitCode: number | null): void;
  onError(error: unknown): void;
}

/** Name of an agent's process in its sandbox. */
export function processName(segment: number): string {
  return `agent-${segment}`;
}

export function segmentFolder(sandbox: Sandbox, segment: number): string {
  return `${sandbox.paths.journal}/${segment}`;
}

/** The journal of one agent process; the same object however often it is made. */
export function openSegment(sandbox: Sandbox, segment: number): JournalSegment {
  return new JournalSegment(sandbox, processName(segment), segmentFolder(sandbox, segment));
}

/**
 * The relay's end of one agent process: reads its journal from where the log stands, turns lines into events and deltas,
 * and writes its input. The process does not depend on it (I4): dispose it and make another, nothing is lost.
 */
export class AgentRun {
  readonly segment: JournalSegment;
  readonly segmentNumber: number;
  readonly #options: AgentRunOptions;
  readonly #decoder: AgentDecoder;
  readonly #tail: Disposable;
  #pipeline: Promise<void> = Promise.resolve();
  #backlog = 0;
  /** Nothing more is committed: the run was let go of, or a commit was refused and the log must not skip events. */
  #over = false;

  constructor(options: AgentRunOptions) {
    this.#options = options;
    const { journal } = options.log;
    const resume = journal?.segment === options.segment ? journal : undefined;
    this.#decoder = options.agent.createDecoder(resume?.decoder);
    this.segmentNumber = options.segment;
    this.segment = openSegment(options.sandbox, options.segment);
    this.#tail = this.segment.follow({
      fromOffset: resume?.offset ?? 0,
      onLines: lines => this.#take(lines),
      onEnd: ({ exitCode }) => {
        void this.#pipeline.then(() => {
          if (!this.#over) {
            options.onEnd(exitCode ?? null);
          }
        });
      },
      onError: error => this.#fail(error),
    });
  }

  /** Puts inputs that are durable already into the journal. The same input twice is harmless. */
  async write(inputs: readonly AgentInput[]): Promise<void> {
    for (const input of inputs) {
      await this.segment.write(input);
    }
  }

  /** A commit that is under way still ends: make another run only when the log has settled. */
  dispose(): void {
    this.#over = true;
    this.#tail.dispose();
  }

  #fail(error: unknown): void {
    if (!this.#over) {
      this.dispose();
      this.#options.onError(error);
    }
  }

  /**
   * Deltas go out at once: they are durable in the journal already. Events follow when they are committed, together with
   * the offset of the line they came from (I5).
   */
  #take(lines: readonly JournalLine[]): Promise<void> {
    const durable: DurableSignal[] = [];
    let position: { offset: number; decoder: string } | undefined;
    for (const line of lines) {
      const signals = this.#decoder.feed(line.text);
      for (const signal of signals) {
        this.#sort(signal, durable);
      }
      if (signals.some(signal => signal.kind !== 'delta')) {
        position = { offset: line.endOffset, decoder: this.#decoder.save() };
      }
    }
    if (position) {
      const end = position;
      this.#backlog++;
      this.#pipeline = this.#pipeline.then(() => this.#commit(durable, end)).finally(() => this.#backlog--);
    }
    // Reading goes on while commits are under way, so that no delta waits for the disk; a long queue holds it back.
    return this.#backlog > MAX_BACKLOG ? this.#pipeline : Promise.resolve();
  }

  #sort(signal: AgentSignal, durable: DurableSignal[]): void {
    if (signal.kind === 'delta') {
      const { itemId, item, offset, text, parentToolId } = signal;
      this.#options.log.publishDelta({
        itemId,
        kind: item,
        offset,
        text,
        ...(parentToolId === undefined ? {} : { parentToolId }),
      });
    } else {
      durable.push(signal);
    }
  }

  async #commit(durable: readonly DurableSignal[], position: { offset: number; decoder: string }): Promise<void> {
    try {
      const stored = await Promise.all(durable.map(signal => storeLargeText(signal, this.#options.blobs)));
      const { segment } = this.#options;
      await this.#options.log.update((state, runtime) =>
        this.#over ? undefined : { ...draftFrom(stored, state, runtime), journal: { segment, ...position } },
      );
      if (!this.#over) {
        this.#options.onProgress();
      }
    } catch (error) {
      this.#fail(error);
    }
  }
}
