import type { Item, ToolItem } from '../../../protocol/session.ts';
import { withoutName } from '../tools/toolTitle.ts';

/** One place where a text was found. */
export interface Match {
  itemId: string;
  /** The how manieth in its item. */
  nth: number;
}

export interface Found {
  matches: readonly Match[];
  /** There are more than were looked for. */
  more: boolean;
  /** How many entries have a part outside of the log, which was not searched. */
  partly: number;
}

const MOST = 5000;

/** All places of a text in what a person can read of a session, oldest first; upper and lower case are the same. */
export function findText(items: readonly Item[], query: string): Found {
  const wanted = query.toLowerCase();
  const matches: Match[] = [];
  let partly = 0;
  if (wanted === '') {
    return { matches, more: false, partly };
  }
  for (const item of items) {
    partly += isPartial(item) ? 1 : 0;
    let nth = 0;
    for (const text of textsOf(item)) {
      const lower = text.toLowerCase();
      for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, at + wanted.length)) {
        if (matches.length === MOST) {
          return { matches, more: true, partly };
        }
        matches.push({ itemId: item.id, nth: nth++ });
      }
    }
  }
  return { matches, more: false, partly };
}

/** What is drawn of an item, in the order in which it is. */
function textsOf(item: Item): string[] {
  switch (item.kind) {
    case 'message':
      return [item.text];
    case 'text':
    case 'thinking':
      return [item.text.text];
    case 'tool':
      return toolTexts(item);
    case 'notice':
      return [item.text, ...(item.hint === undefined ? [] : [item.hint])];
    case 'turnEnd':
      return item.failure ? [item.failure.message] : [];
  }
}

/** The title mostly says a part of the input once more, and is one place with it. */
function toolTexts({ name, title, input, output }: ToolItem): string[] {
  const values = inputText(input.text);
  const said = withoutName(name, title);
  return [name, ...(values.includes(said) ? [] : [said]), values, ...(output ? [output.text] : [])];
}

/** The values without the JSON around them, which nobody sees. */
function inputText(json: string): string {
  try {
    const values: string[] = [];
    JSON.parse(json, (_name, value: unknown) => {
      if (typeof value === 'string') {
        values.push(value);
      }
      return value;
    });
    return values.join('\n');
  } catch {
    return json;
  }
}

function isPartial(item: Item): boolean {
  switch (item.kind) {
    case 'text':
    case 'thinking':
      return item.text.blob !== undefined;
    case 'tool':
      return item.input.blob !== undefined || item.output?.blob !== undefined;
    default:
      return false;
  }
}
