import { SandpiperError } from '../../../protocol/errors.ts';
import type { Agent, AgentDecoder, AgentSignal } from '../agents/agent.ts';
import type { Disposable } from '../core/disposable.ts';
import { JournalSegment } from '../journal/journalSegment.ts';
import type { JournalLine } from '../journal/lineSplitter.ts';
import type { Sandbox } from '../sandboxes/provider.ts';
import type { AgentInput, BlobStore } from '../store/store.ts';
import { draftFrom, storeLargeText, type DurableSignal, type StoredSignal } from './signalEvents.ts';
import type { SessionLog } from './sessionLog.ts';

/** Signals that may wait for their commit. */
const MAX_BACKLOG = 256;

/** A stretch of the journal that ends with the last line of it that the log must know. */
interface Stretch {
  from: number;
  offset: number;
  decoder: string;
}

export interface AgentRunOptions {
  sandbox: Sandbox;
  agent: Agent;
  segment: number;
  /** Of this relay. */
  epoch: number;
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
export function openSegment(sandbox: Sandbox, segment: number, epoch: number): JournalSegment {
  return new JournalSegment(sandbox, processName(segment), segmentFolder(sandbox, segment), epoch);
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
  /** Large texts are stored and changes asked for in the order of the journal. */
  #inOrder: Promise<void> = Promise.resolve();
  #lastCommit: Promise<void> = Promise.resolve();
  #backlog = 0;
  /** Up to where the journal is committed, or asked to be. */
  #offset: number;
  /** Nothing more is committed: the run was let go of, or a commit was refused and the log must not skip events. */
  #over = false;
  #heardAt = performance.now();

  constructor(options: AgentRunOptions) {
    this.#options = options;
    const { journal } = options.log;
    const resume = journal?.segment === options.segment ? journal : undefined;
    this.#decoder = options.agent.createDecoder(resume?.decoder);
    this.segmentNumber = options.segment;
    this.segment = openSegment(options.sandbox, options.segment, options.epoch);
    this.#offset = resume?.offset ?? 0;
    this.#tail = this.segment.follow({
      fromOffset: this.#offset,
      onLines: lines => this.#take(lines),
      onEnd: ({ exitCode }) => {
        void this.#committed().then(() => {
          if (!this.#over) {
            options.onEnd(exitCode ?? null);
          }
        });
      },
      onError: error => this.#fail(error),
    });
  }

  /** Since the agent wrote anything, or since this reads it. By a clock that nobody sets. */
  get silentMs(): number {
    return performance.now() - this.#heardAt;
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
    this.#heardAt = performance.now();
    const durable: DurableSignal[] = [];
    let end: Stretch | undefined;
    for (const line of lines) {
      const signals = this.#decoder.feed(line.text);
      for (const signal of signals) {
        this.#sort(signal, durable);
      }
      if (signals.some(signal => signal.kind !== 'delta')) {
        end = { from: this.#offset, offset: line.endOffset, decoder: this.#decoder.save() };
      }
    }
    if (end) {
      this.#ask(durable, end);
    }
    // Reading goes on while commits are under way, so that no delta waits for the disk; a long queue holds it back.
    return this.#backlog > MAX_BACKLOG ? this.#committed() : Promise.resolve();
  }

  #ask(durable: readonly DurableSignal[], stretch: Stretch): void {
    this.#offset = stretch.offset;
    this.#backlog += durable.length;
    const { blobs, log } = this.#options;
    const storing = Promise.all(durable.map(signal => storeLargeText(signal, blobs, text => log.clean(text))));
    // Whoever waits for its turn below sees a failure, which must not count as unseen until then.
    storing.catch(() => {});
    this.#inOrder = this.#inOrder.then(async () => {
      try {
        this.#lastCommit = this.#commit(await storing, stretch);
      } catch (error) {
        this.#fail(error);
      }
      void this.#lastCommit.then(() => (this.#backlog -= durable.length));
    });
  }

  /** Resolves when what was read so far is in the log, or never will be. */
  async #committed(): Promise<void> {
    await this.#inOrder;
    await this.#lastCommit;
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

  async #commit(stored: readonly StoredSignal[], { from, offset, decoder }: Stretch): Promise<void> {
    const { segment } = this.#options;
    try {
      await this.#options.log.update((state, runtime, journal) => {
        if (this.#over) {
          return undefined;
        }
        // A change that could not be stored leaves a hole, which nothing behind it may jump over (I5).
        if ((journal?.segment === segment ? journal.offset : 0) !== from) {
          throw new SandpiperError('unavailable', 'A part of the journal before this one was not stored.');
        }
        return { ...draftFrom(stored, state, runtime), journal: { segment, offset, decoder } };
      });
      if (!this.#over) {
        this.#options.onProgress();
      }
    } catch (error) {
      this.#fail(error);
    }
  }
}
