import { linesOf, moveAnchor } from '../../../protocol/anchor.ts';
import { toSandpiperError } from '../../../protocol/errors.ts';
import type { Payload } from '../../../protocol/events.ts';
import type { CommentPlace, Evidence, ItemAnswer } from '../../../protocol/feedback.ts';
import type { SessionState, Submission } from '../../../protocol/session.ts';
import { ObjectReader } from '../git/objectReader.ts';
import type { Mirror } from '../git/mirror.ts';
import { entryAt, treeOf, type TreeEntry } from '../git/tree.ts';
import { readAnswers } from '../review/itemAnswers.ts';
import type { Dependencies } from './dependencies.ts';
import { mirrorOf } from './workspace.ts';

/** Answers stand at the end of what an agent writes. */
const MAX_TEXT_BYTES = 256 * 1024;

type Item = Submission['items'][number];

/**
 * What became of submitted items in a turn: what the agent said of them, and what the turn changed of them. Items of the
 * submission that began the turn are answered in any case; others only where the agent came back to them.
 * @param proposed the proposed commit after the turn; the state is the one before its end
 */
export async function answersOfTurn(
  dependencies: Dependencies,
  state: SessionState,
  turn: number,
  proposed: string,
): Promise<ItemAnswer[]> {
  const messages = new Set(state.turns.find(({ number }) => number === turn)?.messageIds);
  const submissions = state.feedback?.submissions ?? [];
  const asked = submissions.filter(({ messageId }) => messages.has(messageId)).flatMap(({ items }) => items);
  const open = submissions.filter(({ messageId }) => !messages.has(messageId)).flatMap(({ items }) => items);
  const left = open.filter(({ answer }) => answer === undefined || !isAnswered(answer));
  if (asked.length + left.length === 0) {
    return [];
  }
  const text = await textOfTurn(dependencies, state, turn);
  const said = readAnswers(text, new Set([...asked, ...left].map(({ label }) => label)));
  const items = [...asked.filter(({ kind }) => kind !== 'edit'), ...left.filter(({ label }) => said.has(label))];
  if (items.length === 0) {
    return [];
  }
  const evidence = await evidenceOf(mirrorOf(dependencies, state), state, proposed, items);
  return items.map(({ label }) => toAnswer(label, said.get(label), evidence.get(label)));
}

function isAnswered({ outcome }: ItemAnswer): boolean {
  return outcome !== 'unanswered' && outcome !== 'changed';
}

/** Nothing is "addressed" that the agent did not call so: changed lines alone are only that. Pure. */
function toAnswer(
  label: string,
  said: { outcome?: ItemAnswer['outcome']; text?: string } | undefined,
  evidence: Evidence | undefined,
): ItemAnswer {
  return {
    label,
    outcome: said?.outcome ?? (evidence === 'lines' ? 'changed' : 'unanswered'),
    ...(said?.text === undefined ? {} : { text: said.text }),
    ...(evidence === undefined ? {} : { evidence }),
  };
}

async function textOfTurn(dependencies: Dependencies, state: SessionState, turn: number): Promise<string> {
  const texts: string[] = [];
  for (const item of state.items) {
    if (item.kind === 'text' && item.turn === turn && item.parentToolId === undefined) {
      texts.push(await wholeText(dependencies, item.text));
    }
  }
  return texts.join('\n');
}

async function wholeText({ blobs }: Dependencies, { text, blob }: Payload): Promise<string> {
  if (!blob) {
    return text;
  }
  const offset = Math.max(0, blob.bytes - MAX_TEXT_BYTES);
  const content = await blobs.read(blob.hash, offset, MAX_TEXT_BYTES);
  return content?.content.toString('utf8') ?? text;
}

/** By label, for items that are about a file. */
async function evidenceOf(
  mirror: Mirror,
  state: SessionState,
  proposed: string,
  items: readonly Item[],
): Promise<Map<string, Evidence>> {
  const reader = new ObjectReader(mirror);
  try {
    const [before, after] = [await treeOf(reader, state.proposed), await treeOf(reader, proposed)];
    const places = new Map(state.feedback?.comments.map(({ id, place }) => [id, place]));
    const found = new Map<string, Evidence>();
    for (const { label, path, commentId } of items) {
      if (path === undefined) {
        continue;
      }
      const [was, is] = [await entryAt(reader, before, path), await entryAt(reader, after, path)];
      const place = commentId === undefined ? undefined : places.get(commentId);
      const isLines = was?.id !== is?.id && place !== undefined && (await didLinesChange(reader, place, was, is));
      found.set(label, was?.id === is?.id ? 'none' : isLines ? 'lines' : 'file');
    }
    return found;
  } finally {
    reader.dispose();
  }
}

async function didLinesChange(
  reader: ObjectReader,
  place: CommentPlace,
  was: TreeEntry | undefined,
  is: TreeEntry | undefined,
): Promise<boolean> {
  if (place.kind !== 'lines' || place.side !== 'proposed' || !was) {
    return false;
  }
  const [origin, before] = [await linesIn(reader, place.object), await linesIn(reader, was.id)];
  const there = origin && before && moveAnchor(origin, before, place.lines);
  if (!there || there.how !== 'exact') {
    return false;
  }
  const after = is ? await linesIn(reader, is.id) : [];
  return after !== undefined && moveAnchor(before, after, there.lines)?.how !== 'exact';
}

/** Undefined where the content cannot be looked into; that proves nothing. */
async function linesIn(reader: ObjectReader, id: string): Promise<string[] | undefined> {
  try {
    return linesOf((await reader.readAs(id, 'blob')).toString('utf8'));
  } catch (error) {
    if (['git_failed', 'too_large'].includes(toSandpiperError(error).code)) {
      return undefined;
    }
    throw error;
  }
}
