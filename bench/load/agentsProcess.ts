import { openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { preciseNow } from '../../test/support/modelReply.ts';
import { serveHelper, startHelper, type HelperProcess } from '../support/helperProcess.ts';

/*
 * Plays the agents of many sessions in one process: appends lines of Claude Code's stream-json to their journals. The text
 * of every line says whose it is, its number, and when it was written. Forked, this file is that process.
 */

interface Work {
  /** Journals, by the number of their session. */
  journals: string[];
  perSecond: number;
  ms: number;
  /** The first so many sessions write `perSecond` for the first second of every five. */
  bursts?: { sessions: number; perSecond: number };
}

interface Stream {
  journal: string;
  messages: number;
  /** Each of 200 characters. */
  deltasAMessage: number;
}

export type Agents = HelperProcess<typeof questions>;

export function startAgents(): Agents {
  return startHelper<typeof questions>(import.meta.filename);
}

const TEXT_CHARS = 200;
const BURST_EVERY_MS = 5000;
const BURST_MS = 1000;
/** So that neighbours in time are not neighbours in the list. */
const STRIDE = 7919;

const descriptors = new Map<string, number>();
/** Lines written, by journal. */
const written = new Map<string, number>();

const questions = {
  /** Writes until `ms` are over. Returns how many lines each journal has got so far, in the order of `journals`. */
  async work({ journals, perSecond, ms, bursts }: Work): Promise<number[]> {
    const startedAt = performance.now();
    const total = journals.length * perSecond * (ms / 1000);
    let done = 0;
    let burstDone = 0;
    for (let elapsedMs = 0; elapsedMs < ms; elapsedMs = performance.now() - startedAt) {
      const due = Math.min(total, (elapsedMs / 1000) * journals.length * perSecond);
      for (; done < due; done++) {
        const session = (done * STRIDE) % journals.length;
        writeLine(journals[session] ?? '', session);
      }
      if (bursts) {
        const rounds = Math.floor(elapsedMs / BURST_EVERY_MS);
        const burstMs = rounds * BURST_MS + Math.min(BURST_MS, elapsedMs % BURST_EVERY_MS);
        const burstDue = (burstMs / 1000) * bursts.sessions * bursts.perSecond;
        for (; burstDone < burstDue; burstDone++) {
          const session = burstDone % bursts.sessions;
          writeLine(journals[session] ?? '', session);
        }
      }
      await sleep(1);
    }
    return journals.map(journal => written.get(journal) ?? 0);
  },
  /** Messages that stream their text piece by piece and then stand there whole, as fast as the disk takes them. */
  async stream({ journal, messages, deltasAMessage }: Stream): Promise<number> {
    const startedAt = preciseNow();
    const piece = 'lorem ipsum dolor sit amet '.repeat(8).slice(0, TEXT_CHARS);
    for (let message = 0; message < messages; message++) {
      const id = `msg_stream_${startedAt}_${message}`;
      const lines = [
        streamed({ type: 'message_start', message: { id } }),
        streamed({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
        ...Array.from({ length: deltasAMessage }, () =>
          streamed({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: piece } }),
        ),
        assistant(id, piece.repeat(deltasAMessage)),
        streamed({ type: 'message_stop' }),
      ];
      for (const line of lines) {
        writeSync(descriptorOf(journal), `${line}\n`);
      }
      await new Promise(resolve => setImmediate(resolve));
    }
    return startedAt;
  },
};

function writeLine(journal: string, session: number): void {
  const number = (written.get(journal) ?? 0) + 1;
  written.set(journal, number);
  const text = `[${session}.${number}@${preciseNow()}]`.padEnd(TEXT_CHARS, '.');
  writeSync(descriptorOf(journal), `${assistant(`msg_${session}_${number}`, text)}\n`);
}

function assistant(id: string, text: string): string {
  return JSON.stringify({ type: 'assistant', message: { id, role: 'assistant', content: [{ type: 'text', text }] } });
}

function streamed(event: Record<string, unknown>): string {
  return JSON.stringify({ type: 'stream_event', event, parent_tool_use_id: null });
}

function descriptorOf(journal: string): number {
  const known = descriptors.get(journal);
  if (known !== undefined) {
    return known;
  }
  const descriptor = openSync(journal, 'a');
  descriptors.set(journal, descriptor);
  return descriptor;
}

if (process.argv[1] === import.meta.filename) {
  serveHelper(questions);
}
