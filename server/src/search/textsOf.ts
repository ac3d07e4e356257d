import type { SessionEvent } from '../../../protocol/events.ts';
import type { SearchText } from '../store/search.ts';

/** More of one text is not looked at: a listing of ten thousand files is nothing that one searches for. */
const MAX_CHARS = 8192;

export interface Texts {
  texts: SearchText[];
  /** Items that were taken back. */
  gone: string[];
}

/** What events say that a person may look for. Pure. */
export function textsOf(events: readonly SessionEvent[]): Texts {
  const texts: SearchText[] = [];
  const gone: string[] = [];
  for (const { seq, at, body } of events) {
    const add = (kind: SearchText['kind'], itemId: string | undefined, ...parts: string[]): void => {
      const text = parts
        .filter(part => part.trim() !== '')
        .join('\n')
        .slice(0, MAX_CHARS);
      if (text !== '') {
        texts.push({ seq, at, kind, text, ...(itemId === undefined ? {} : { itemId }) });
      }
    };
    switch (body.type) {
      case 'sessionCreated':
      case 'sessionRenamed':
        add('title', undefined, body.title);
        break;
      case 'messageQueued':
        add('message', body.messageId, body.text);
        break;
      case 'messageWithdrawn':
        gone.push(body.messageId);
        break;
      case 'textFinished':
        add('text', body.itemId, body.text.text);
        break;
      case 'thinkingFinished':
        add('thinking', body.itemId, body.text.text);
        break;
      case 'toolStarted':
        add('tool', body.toolId, body.title, valuesOf(body.input.text, body.title));
        break;
      case 'toolFinished':
        add('tool', body.toolId, body.output.text);
        break;
      case 'noticeRaised':
        add('notice', `notice:${seq}`, body.text, body.hint ?? '');
        break;
      default:
        break;
    }
  }
  return { texts, gone };
}

/** The words of an input without its JSON, and without what the title says already. */
function valuesOf(json: string, title: string): string {
  const values: string[] = [];
  try {
    JSON.parse(json, (_name, value: unknown) => {
      if (typeof value === 'string' && value !== title) {
        values.push(value);
      }
      return value;
    });
  } catch {
    // Cut to a preview.
    return json;
  }
  return values.join('\n');
}
