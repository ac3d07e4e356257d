import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import type { EventOf } from '../../../protocol/events.ts';
import type { SessionState, Turn } from '../../../protocol/session.ts';
import { MAX_SPEC_CHARACTERS } from '../../../protocol/spec.ts';
import { titleOfText } from '../../../protocol/specs.ts';
import { readSpec } from '../../../protocol/specText.ts';
import { extractedSpecId, specIn } from '../specs/extractSpec.ts';
import type { Dependencies } from './dependencies.ts';
import type { SessionLog } from './sessionLog.ts';
import { tellSpec } from './tellSpec.ts';

const MAX_ANSWER_BYTES = 1_000_000;

/** The turn whose answer is to be read as a spec, once it is done; pure. `gone`: its message was taken back. */
export function answeredTurn({ extracting, items, turns }: SessionState): Turn | 'gone' | undefined {
  if (!extracting) {
    return undefined;
  }
  const message = items.find(item => item.kind === 'message' && item.id === extracting.messageId);
  if (message?.kind !== 'message') {
    return 'gone';
  }
  const turn = turns.find(({ number }) => number === message.turn);
  return message.delivery === 'taken' && turn?.checkpoint ? turn : undefined;
}

/**
 * Keeps what the agent wrote as a spec. The document is written before the log says so, under an id that its message gives:
 * after a kill the same one is found. Whatever is wrong is said, and the answer stays in the chat.
 */
export async function extractSpec(dependencies: Dependencies, log: SessionLog): Promise<void> {
  const { state } = log;
  const { extracting } = state;
  const turn = answeredTurn(state);
  if (!extracting || !turn) {
    return;
  }
  const { messageId } = extracting;
  const came =
    turn === 'gone'
      ? { problem: 'The request for a spec was taken back.' }
      : await keep(dependencies, state, turn, messageId);
  await log.update(now =>
    now.extracting?.messageId === messageId ? { events: [{ type: 'specExtracted', messageId, ...came }] } : undefined,
  );
}

async function keep(
  dependencies: Dependencies,
  state: SessionState,
  { number, agent }: Turn,
  messageId: string,
): Promise<Pick<EventOf<'specExtracted'>, 'spec' | 'problem'>> {
  const { store, blobs, ownership } = dependencies;
  if (agent?.outcome !== 'completed') {
    return { problem: 'The turn that was to write the spec did not end well.' };
  }
  const texts = await Promise.all(
    state.items.map(async item => {
      if (item.kind !== 'text' || item.turn !== number || item.parentToolId !== undefined) {
        return '';
      }
      const { text, blob } = item.text;
      return blob ? ((await blobs.read(blob.hash, 0, MAX_ANSWER_BYTES))?.content.toString('utf8') ?? text) : text;
    }),
  );
  const text = specIn(texts.join('\n'));
  if (text === undefined) {
    return { problem: 'The agent’s answer has no spec in it.' };
  }
  if (text.length > MAX_SPEC_CHARACTERS) {
    return { problem: `The spec that the agent wrote is longer than ${MAX_SPEC_CHARACTERS} characters.` };
  }
  const [problem] = readSpec(text).problems;
  if (problem) {
    return { problem: `What the agent wrote is no spec. Line ${problem.line}: ${problem.message}` };
  }
  const specId = extractedSpecId(state.id, messageId);
  await ownership.confirm();
  const title = titleOfText(text);
  try {
    await store.writeSpec({ specId, expectedRevision: 0, title, text, at: Date.now() });
  } catch (error) {
    // A relay that was killed after this had written it.
    if (toSandpiperError(error).code !== 'stale') {
      throw error;
    }
  }
  const row = await store.readSpec(specId, 1);
  if (!row) {
    throw new SandpiperError('internal', `The spec ${specId} was not kept.`);
  }
  await tellSpec(dependencies, specId);
  return { spec: { specId, revision: 1, title: row.title } };
}
