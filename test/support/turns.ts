import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SessionState } from '../../protocol/session.ts';
import type { StepInput } from './modelScript.ts';
import { openWorkshop, type Workshop } from './workshop.ts';

/** Sessions whose turns can be told apart, in the files and in what the model hears of them. */
export interface Turns {
  shop: Workshop;
  /** A new session after this many turns. */
  work: (turns: number) => Promise<string>;
  /** One more turn. */
  next: (sessionId: string, turn: number) => Promise<SessionState>;
  restore: (
    sessionId: string,
    turn: number,
    parts: 'code' | 'conversation' | 'both',
    stop?: boolean,
  ) => Promise<{ restore: number }>;
  /** Names of the text files in the sandbox. */
  files: (sessionId: string) => Promise<string[]>;
  /** One line for each turn that the files have. */
  all: (sessionId: string) => Promise<string>;
  /** What the last request told the model of turns. */
  remembered: () => string[];
}

const idle = (turns: number) => (state: SessionState) =>
  state.phase.kind === 'idle' && state.turns.length === turns && !state.restoring;

/** Whether this many restores are done, and none is under way. */
export const restored = (count: number) => (state: SessionState) =>
  !state.restoring && state.restores?.length === count;

/** Turn n writes n.txt, appends to all.txt, and answers `answer n`. */
export function turnScript(turn: number, more = 'true'): StepInput[] {
  const command = `echo node_modules > .gitignore; echo ${turn} > ${turn}.txt; echo ${turn} >> all.txt; ${more}`;
  return [{ tool: 'Bash', input: { command } }, { text: `answer ${turn}` }];
}

/** What the model hears when the last of these turns begins. */
export function told(...turns: number[]): string[] {
  return turns.flatMap(turn => [`prompt ${turn}`, `answer ${turn}`]).slice(0, -1);
}

export async function openTurns(more?: (turn: number) => string): Promise<Turns> {
  const shop = await openWorkshop();
  const prompt = (turn: number) => `prompt ${turn} @@${JSON.stringify(turnScript(turn, more?.(turn)))}`;
  const next = async (sessionId: string, turn: number): Promise<SessionState> => {
    await shop.send(sessionId, prompt(turn));
    return shop.until(sessionId, `turn ${turn}`, idle(turn), 40_000);
  };
  return {
    shop,
    work: async turns => {
      const id = await shop.begin(prompt(1));
      await shop.until(id, 'turn 1', idle(1), 40_000);
      for (let turn = 2; turn <= turns; turn++) {
        await next(id, turn);
      }
      return id;
    },
    next,
    restore: (sessionId, turn, parts, stop = false) =>
      shop.client.call(
        'checkpoint.restore',
        { sessionId, turn, code: parts !== 'conversation', conversation: parts !== 'code', stop },
        { timeoutMs: 60_000 },
      ),
    files: async id => (await readdir(await shop.workspace(id))).filter(name => name.endsWith('.txt')).sort(),
    all: async id => readFile(join(await shop.workspace(id), 'all.txt'), 'utf8'),
    remembered: () =>
      shop.model
        .lastConversation()
        .map(({ text }) => text)
        .filter(text => /^(prompt|answer) \d+$/.test(text)),
  };
}
