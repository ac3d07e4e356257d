import type { EventBody } from '../../../protocol/events.ts';
import type { Logger } from '../core/log.ts';
import { DeltaRedactor } from './deltaRedactor.ts';
import { redactPatterns } from './patterns.ts';
import type { Secrets } from './secrets.ts';

/** What becomes durable of a change. */
interface Draft {
  events: EventBody[];
  inputs?: string[];
  runtime?: { answerContexts?: Record<string, string> };
}

/**
 * Takes secrets out of what enters the log of one session: those that the relay holds, in every spelling, and after them
 * what looks like one. How many is counted; what they were is nowhere.
 */
export class Redactor {
  readonly #secrets: Secrets;
  readonly #log: Logger;
  readonly #counts = new Map<string, number>();
  readonly #told = new Set<string>();
  readonly deltas: DeltaRedactor;

  constructor(secrets: Secrets, log: Logger) {
    this.#secrets = secrets;
    this.#log = log;
    this.deltas = new DeltaRedactor(() => secrets.search);
  }

  /** How often each was taken out since this object was made, by name. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Of a text that an agent wrote. */
  readonly text = (given: string): string => redactPatterns(this.exact(given), name => this.#count(name, 1));

  /** What the relay holds, and nothing that only looks like a secret: the text means something to a program. */
  exact(given: string): string {
    const { text, found } = this.#secrets.search.redact(given);
    found.forEach((times, name) => this.#count(name, times));
    return text;
  }

  /** A change of the log, without its secrets; with a word about the first of each kind. */
  draft<D extends Draft>(draft: D): D {
    draft.events.forEach(body => {
      // What a person says on purpose is for the agent.
      const isPersons = body.type === 'messageQueued';
      this.#walk(body, isPersons ? text => this.exact(text) : this.text);
    });
    this.#walk(draft.inputs, text => this.exact(text));
    this.#walk(draft.runtime?.answerContexts, text => this.exact(text));
    const news = this.#news();
    return news.length === 0 ? draft : { ...draft, events: [...draft.events, ...news] };
  }

  /** Changes texts where they stand: the objects were made for this change. */
  #walk(value: unknown, redact: (text: string) => string): void {
    if (typeof value !== 'object' || value === null) {
      return;
    }
    for (const [key, part] of Object.entries(value)) {
      if (typeof part !== 'string') {
        this.#walk(part, redact);
        continue;
      }
      const clean = redact(part);
      if (clean !== part) {
        Reflect.set(value, key, clean);
      }
    }
  }

  #count(name: string, times: number): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + times);
  }

  #news(): EventBody[] {
    const names = [...this.#counts.keys()].filter(name => !this.#told.has(name));
    return names.map(name => {
      this.#told.add(name);
      this.#log.log('warn', 'session', 'A secret was taken out of a log', { name });
      return {
        type: 'noticeRaised',
        level: 'warning',
        text: `What stands here had a secret in it (${name}). It was left out and is kept nowhere.`,
        hint: 'The files of the session are as the agent wrote them: look at them before they go anywhere.',
      };
    });
  }
}
