import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerResponse } from 'node:http';
import type { Block, Step } from './modelScript.ts';

/** A model that is still thinking does not keep the process of a test alive. */
export async function pause(ms: number): Promise<void> {
  await sleep(ms, undefined, { ref: false });
}

/** Milliseconds since the epoch with microseconds, comparable between processes of one machine. */
export function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}

/** Writes one answer of the Messages API as server-sent events. Each method does nothing once the client has gone. */
export class Reply {
  readonly id: string;
  readonly #response: ServerResponse;
  readonly #usage: Record<string, number>;
  #blocks = 0;

  constructor(response: ServerResponse, id: string, model: string, usage: Record<string, number>) {
    this.id = id;
    this.#response = response;
    this.#usage = usage;
    response.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': `req_${id}` });
    this.#send({ type: 'message_start', message: messageOf(id, model, [], null, { ...usage, output_tokens: 1 }) });
  }

  get gone(): boolean {
    return this.#response.destroyed;
  }

  /** Sends one block; `onDelta` runs before each delta and may cut the connection. */
  async block(block: Block, pieces: readonly string[], onDelta: (piece: number) => Promise<void>): Promise<void> {
    const index = this.#blocks++;
    this.#send({ type: 'content_block_start', index, content_block: emptyBlock(block, this.id, index) });
    for (const [number, piece] of pieces.entries()) {
      await onDelta(number);
      if (this.gone) {
        return;
      }
      this.#send({ type: 'content_block_delta', index, delta: deltaOf(block, piece) });
    }
    if ('thinking' in block) {
      this.#send({ type: 'content_block_delta', index, delta: { type: 'signature_delta', signature: 'c2ln' } });
    }
    this.#send({ type: 'content_block_stop', index });
  }

  end(stopReason: string): void {
    this.#send({
      type: 'message_delta',
      delta: { stop_reason: stopReason, stop_sequence: null },
      usage: this.#usage,
    });
    this.#send({ type: 'message_stop' });
    this.#response.end();
  }

  cut(): void {
    this.#response.destroy();
  }

  #send(event: { type: string; [field: string]: unknown }): void {
    if (!this.gone) {
      this.#response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    }
  }
}

/** Sends the blocks of a step, with its pauses and accidents. `accident` says whether they apply this time. */
export async function playStep(reply: Reply, step: Step, accident: boolean): Promise<void> {
  const blocks = blocksOf(step);
  const lengths = blocks.map(block => ('text' in block ? block.text.length : 0));
  const longest = lengths.indexOf(Math.max(...lengths));
  for (const [number, block] of blocks.entries()) {
    const pieces = piecesOf(block, step.deltas);
    const middle = number === longest && accident ? Math.floor(pieces.length / 2) : -1;
    await reply.block(block, pieces, async piece => {
      if (piece > 0 && step.delayMs !== undefined) {
        await pause(step.delayMs);
      }
      if (piece === middle && (step.drop === 'mid' || step.stallMs !== undefined)) {
        await pause(step.stallMs ?? 0);
        reply.cut();
      }
    });
    if (reply.gone) {
      return;
    }
  }
  if (accident && step.drop === 'end') {
    reply.cut();
    return;
  }
  reply.end(step.stop ?? (blocks.some(block => 'tool' in block) ? 'tool_use' : 'end_turn'));
}

/** The whole answer at once, for requests without `stream`. */
export function wholeMessage(id: string, model: string, step: Step, usage: Record<string, number>): object {
  const content = blocksOf(step).map((block, index) =>
    'text' in block ? { type: 'text', text: block.text } : { ...emptyBlock(block, id, index), ...inputOf(block) },
  );
  return messageOf(id, model, content, step.stop ?? 'end_turn', usage);
}

function blocksOf(step: Step): Block[] {
  return (
    step.blocks ?? [
      ...(step.thinking === undefined ? [] : [{ thinking: step.thinking }]),
      ...(step.text === undefined ? [] : [{ text: step.text }]),
      ...(step.tool === undefined ? [] : [{ tool: step.tool, input: step.input ?? {} }]),
    ]
  );
}

function piecesOf(block: Block, count: number | undefined): string[] {
  const text = 'tool' in block ? JSON.stringify(block.input) : 'thinking' in block ? block.thinking : block.text;
  const size = count === undefined ? ('tool' in block ? 2000 : 20) : Math.max(1, Math.ceil(text.length / count));
  return Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
    text.slice(index * size, (index + 1) * size),
  );
}

function emptyBlock(block: Block, id: string, index: number): object {
  if ('tool' in block) {
    return { type: 'tool_use', id: `toolu_${id.slice(4)}_${index}`, name: block.tool, input: {} };
  }
  return 'thinking' in block ? { type: 'thinking', thinking: '', signature: '' } : { type: 'text', text: '' };
}

function inputOf(block: Block): object {
  return 'tool' in block ? { input: block.input } : 'thinking' in block ? { thinking: block.thinking } : {};
}

function deltaOf(block: Block, piece: string): object {
  if ('tool' in block) {
    return { type: 'input_json_delta', partial_json: piece };
  }
  return 'thinking' in block ? { type: 'thinking_delta', thinking: piece } : { type: 'text_delta', text: piece };
}

function messageOf(
  id: string,
  model: string,
  content: readonly object[],
  stopReason: string | null,
  usage: Record<string, number>,
): object {
  return {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content,
    stop_reason: stopReason,
    stop_sequence: null,
    usage,
  };
}
