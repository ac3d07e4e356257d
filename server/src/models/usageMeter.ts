import { StringDecoder } from 'node:string_decoder';
import type { Usage } from '../../../protocol/events.ts';
import { costUsd, NO_TOKENS, usageBetween, type TokenCounts } from './pricing.ts';

/** Text of the model is at least this many characters a token, so that an estimate errs on the dear side. */
const CHARS_PER_TOKEN = 3;
/** A longer line of an event stream is not one of the Messages API. */
const MAX_LINE_CHARS = 32 * 1024 * 1024;

type Fields = Record<string, unknown>;

/**
 * Counts what one answer of the Messages API costs while it passes. The input is known from the first event, the output only
 * from the last; until then it is estimated, and an answer that is cut keeps the estimate.
 */
export class UsageMeter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #report: (usage: Usage) => void;
  #model: string;
  #carry = '';
  #counts = NO_TOKENS;
  #reported = NO_TOKENS;
  #streamedChars = 0;
  #final = false;

  /** @param model what the request asked for; the answer's own word counts when it comes */
  constructor(model: string, report: (usage: Usage) => void) {
    this.#model = model;
    this.#report = report;
  }

  get model(): string {
    return this.#model;
  }

  /** Estimated cost of the output that has streamed and is not reported yet. */
  get openUsd(): number {
    return this.#final ? 0 : costUsd(this.#model, { ...NO_TOKENS, outputTokens: this.#estimatedOutput() });
  }

  /** Bytes of an event stream, cut anywhere. */
  feedEvents(chunk: Buffer): void {
    const lines = (this.#carry + this.#decoder.write(chunk)).split('\n');
    this.#carry = lines.pop() ?? '';
    if (this.#carry.length > MAX_LINE_CHARS) {
      this.#carry = '';
    }
    for (const line of lines) {
      if (line.startsWith('data:')) {
        this.#event(parsed(line.slice(5)));
      }
    }
  }

  /** The body of an answer that is not streamed. */
  feedMessage(body: string): void {
    const message = parsed(body);
    this.#message(message);
    this.#final = true;
    this.#settle();
  }

  /** The answer is over, whole or cut. */
  finish(): void {
    if (!this.#final) {
      this.#counts = { ...this.#counts, outputTokens: Math.max(this.#counts.outputTokens, this.#estimatedOutput()) };
      this.#final = true;
    }
    this.#settle();
  }

  #event(event: Fields): void {
    switch (event['type']) {
      case 'message_start':
        this.#message(fields(event['message']));
        this.#settle();
        break;
      case 'content_block_delta': {
        const delta = fields(event['delta']);
        const written = delta['text'] ?? delta['thinking'] ?? delta['partial_json'];
        this.#streamedChars += typeof written === 'string' ? written.length : 0;
        break;
      }
      case 'message_delta':
        this.#add(fields(event['usage']));
        this.#final = true;
        this.#settle();
        break;
      default:
        break;
    }
  }

  #message(message: Fields): void {
    if (typeof message['model'] === 'string') {
      this.#model = message['model'];
    }
    this.#add(fields(message['usage']));
  }

  /** The counts of a message only grow; a later event may leave some out. */
  #add(usage: Fields): void {
    const before = this.#counts;
    this.#counts = {
      inputTokens: Math.max(before.inputTokens, count(usage['input_tokens'])),
      outputTokens: Math.max(before.outputTokens, count(usage['output_tokens'])),
      cacheReadTokens: Math.max(before.cacheReadTokens, count(usage['cache_read_input_tokens'])),
      cacheWriteTokens: Math.max(before.cacheWriteTokens, count(usage['cache_creation_input_tokens'])),
      cacheWriteHourTokens: Math.max(
        before.cacheWriteHourTokens,
        count(fields(usage['cache_creation'])['ephemeral_1h_input_tokens']),
      ),
    };
  }

  #settle(): void {
    // The first event counts a token or so of output; it is reported with the rest.
    const now: TokenCounts = this.#final ? this.#counts : { ...this.#counts, outputTokens: 0 };
    const usage = usageBetween(this.#model, this.#reported, now);
    this.#reported = now;
    if (Object.values(usage).some(value => value > 0)) {
      this.#report(usage);
    }
  }

  #estimatedOutput(): number {
    return Math.ceil(this.#streamedChars / CHARS_PER_TOKEN);
  }
}

function parsed(text: string): Fields {
  try {
    return fields(JSON.parse(text));
  } catch {
    return {};
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fields(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}
