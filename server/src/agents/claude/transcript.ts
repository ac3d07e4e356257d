import { isRecord } from '../../../../protocol/isRecord.ts';
import { newId } from '../../../../protocol/ids.ts';
import type { LocalTurn } from '../agent.ts';
import { uuidOfMessage } from './messageUuid.ts';
import { toolTitle } from './toolTitle.ts';

/*
 * The file of a conversation that a person had with Claude Code by themselves, read as what it is: lines that anybody may
 * have written. Nothing in it is executed; what cannot be read is counted and left out.
 */

type Row = Record<string, unknown>;

export interface Transcript {
  title: string;
  folder: string;
  branch: string | undefined;
  turns: LocalTurn[];
  /** Rows for the agent, under the ids of Sandpiper. */
  content: Buffer;
  /** Lines that could not be read. */
  skipped: number;
}

const MAX_TITLE = 120;

export function readTranscript(content: string, conversationId: string): Transcript {
  const { rows, skipped } = parseRows(content);
  const thread = threadOf(rows);
  const messageIds = new Map<string, string>();
  const turns = turnsOf(thread, messageIds);
  const named = rows.findLast(row => textOf(row['cwd']) !== '');
  return {
    title: titleOf(rows, turns),
    folder: textOf(named?.['cwd']),
    branch: textOf(named?.['gitBranch']) || undefined,
    turns,
    content: rewritten(rows, conversationId, messageIds),
    skipped,
  };
}

/** What the person is shown of it: its own title, else the first thing that was asked. */
export function titleOf(rows: readonly Row[], turns: readonly { text: string }[]): string {
  const own = rows.findLast(row => ['custom-title', 'ai-title', 'summary'].includes(textOf(row['type'])));
  const given = ['customTitle', 'aiTitle', 'title', 'summary'].map(name => textOf(own?.[name])).find(Boolean);
  const line = (given ?? turns[0]?.text ?? '').trim().split('\n', 1)[0] ?? '';
  return line.slice(0, MAX_TITLE) || 'Untitled';
}

export function parseRows(content: string): { rows: Row[]; skipped: number } {
  const rows: Row[] = [];
  let skipped = 0;
  for (const line of content.split('\n')) {
    if (line.trim() === '') {
      continue;
    }
    const row = parse(line);
    if (row) {
      rows.push(row);
    } else {
      skipped++;
    }
  }
  return { rows, skipped };
}

/** The person's words in a row; undefined where it is a tool's answer, a command of the program or its own note. */
export function askedIn(row: Row): string | undefined {
  if (row['type'] !== 'user' || row['isMeta'] === true || row['isSidechain'] === true) {
    return undefined;
  }
  const content = messageOf(row)['content'];
  const text =
    typeof content === 'string'
      ? content
      : blocksOf(content)
          .filter(block => block['type'] === 'text')
          .map(block => textOf(block['text']))
          .join('\n');
  // What the program itself writes as the person: commands, their output, an interruption.
  return text.trim() === '' || /^(<(command|local-command|bash)-|\[Request interrupted|Caveat: )/.test(text)
    ? undefined
    : text;
}

/** From the last message back to the first: what was edited or gone back over is beside that way. */
function threadOf(rows: readonly Row[]): Row[] {
  const said = rows.filter(
    row => (row['type'] === 'user' || row['type'] === 'assistant') && row['isSidechain'] !== true,
  );
  const byUuid = new Map(rows.map(row => [textOf(row['uuid']), row]));
  const thread: Row[] = [];
  const seen = new Set<Row>();
  for (let row = said.at(-1); row && !seen.has(row); row = byUuid.get(textOf(row['parentUuid']))) {
    seen.add(row);
    thread.push(row);
  }
  return thread.reverse();
}

function turnsOf(thread: readonly Row[], messageIds: Map<string, string>): LocalTurn[] {
  const turns: LocalTurn[] = [];
  for (const row of thread) {
    const asked = askedIn(row);
    const at = Date.parse(textOf(row['timestamp'])) || 0;
    const last = turns.at(-1);
    if (asked !== undefined) {
      const messageId = newId('msg');
      messageIds.set(textOf(row['uuid']), messageId);
      turns.push({ messageId, text: asked, at, items: [] });
    } else if (last) {
      addItems(last, row, at);
    }
  }
  return turns;
}

function addItems(turn: LocalTurn, row: Row, at: number): void {
  const message = messageOf(row);
  blocksOf(message['content']).forEach((block, index) => {
    const id = `${textOf(message['id']) || textOf(row['uuid'])}:${turn.items.length}.${index}`;
    switch (block['type']) {
      case 'text':
        turn.items.push({ kind: 'text', id, at, text: textOf(block['text']) });
        break;
      case 'thinking':
        turn.items.push({ kind: 'thinking', id, at, text: textOf(block['thinking']) });
        break;
      case 'tool_use': {
        const input = isRecord(block['input']) ? block['input'] : {};
        const name = textOf(block['name']) || 'Tool';
        const title = toolTitle(name, input, textOf(row['cwd']));
        turn.items.push({ kind: 'tool', id: textOf(block['id']) || id, at, name, title, input: JSON.stringify(input) });
        break;
      }
      case 'tool_result': {
        const tool = turn.items.find(item => item.kind === 'tool' && item.id === textOf(block['tool_use_id']));
        if (tool?.kind === 'tool') {
          tool.output = outputOf(block['content']);
          tool.failed = block['is_error'] === true;
        }
        break;
      }
      default:
        break;
    }
  });
}

function outputOf(content: unknown): string {
  return typeof content === 'string'
    ? content
    : blocksOf(content)
        .map(block => (block['type'] === 'text' ? textOf(block['text']) : `[${textOf(block['type'])}]`))
        .join('\n');
}

const NAMES = ['uuid', 'parentUuid', 'logicalParentUuid', 'leafUuid'] as const;

/** Messages get the ids by which Sandpiper knows them, so that it can go back to each. */
function rewritten(rows: readonly Row[], conversationId: string, messageIds: ReadonlyMap<string, string>): Buffer {
  const uuids = new Map([...messageIds].flatMap(([uuid, id]) => [[uuid, uuidOfMessage(id) ?? uuid] as const]));
  const lines = rows.map(row => {
    const copy: Row = 'sessionId' in row ? { ...row, sessionId: conversationId } : { ...row };
    for (const name of NAMES) {
      const known = uuids.get(textOf(copy[name]));
      if (known !== undefined) {
        copy[name] = known;
      }
    }
    return `${JSON.stringify(copy)}\n`;
  });
  return Buffer.from(lines.join(''));
}

function parse(line: string): Row | undefined {
  try {
    const row: unknown = JSON.parse(line);
    return isRecord(row) ? row : undefined;
  } catch {
    return undefined;
  }
}

function messageOf(row: Row): Row {
  return isRecord(row['message']) ? row['message'] : {};
}

function blocksOf(content: unknown): Row[] {
  return typeof content === 'string'
    ? [{ type: 'text', text: content }]
    : Array.isArray(content)
      ? content.filter(isRecord)
      : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
