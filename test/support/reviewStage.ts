import assert from 'node:assert/strict';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import type { CallResult } from '../../protocol/calls.ts';
import { openChat, press, startTask, TURN_TIMEOUT_MS } from './chatPage.ts';
import { openEditorStage, type EditorStage } from './editorStage.ts';
import { eventually } from './eventually.ts';
import { patient } from './patience.ts';

/** An editor with a session whose second turn changed files of the first, which were accepted. */
export interface ReviewStage {
  readonly stage: EditorStage;
  readonly page: Page;
  readonly chat: FrameLocator;
  readonly sessionId: string;
  review(): Promise<CallResult<'review.list'>>;
  content(side: 'accepted' | 'proposed', path: string): Promise<string>;
  /** Another turn of the same session. */
  turn(command: string): Promise<void>;
}

/** Forty lines, some of them changed. */
export function lines(changes: Record<number, string> = {}): string[] {
  return Array.from({ length: 40 }, (_, index) => changes[index + 1] ?? `line ${index + 1}`);
}

/** A shell command that writes lines to a file. */
export function write(path: string, content: readonly string[]): string {
  return `printf '%s\\n' ${content.map(line => `'${line}'`).join(' ')} > ${path}`;
}

const script = (command: string): string =>
  `Work @@${JSON.stringify([{ tool: 'Bash', input: { command } }, { text: 'Done.' }])}`;

/** @param commands what the agent runs in the first turn, whose changes are accepted, and in the second */
export async function openReviewStage(
  commands: readonly [string, string],
  settings: Record<string, unknown> = {},
): Promise<ReviewStage> {
  const stage = await openEditorStage({ settings: { 'sandpiper.session.permissionMode': 'autopilot', ...settings } });
  try {
    const page = await stage.openWindow();
    page.setDefaultTimeout(patient(10_000));
    const chat = await openChat(page);
    await startTask(chat, script(commands[0]));
    const sessionId = await eventually(async () => {
      const { sessions } = await stage.client.call('session.list', {});
      assert.equal(sessions.length, 1);
      return sessions[0]?.id ?? '';
    });
    let turns = 0;
    const untilTurn = async (): Promise<string> => {
      turns++;
      return eventually(async () => {
        const state = await stage.client.call('session.get', { sessionId });
        assert.equal(state.turns[turns - 1]?.checkpoint?.changed, true, JSON.stringify(state.phase));
        return state.proposed;
      }, TURN_TIMEOUT_MS);
    };
    const turn = async (command: string): Promise<void> => {
      await stage.client.call('session.send', { sessionId, text: script(command) });
      await untilTurn();
    };
    const expectedProposed = await untilTurn();
    await stage.client.call('changes.acceptAll', { sessionId, expectedProposed });
    await stage.client.call('session.rename', { sessionId, title: 'Write numbers as words' });
    await turn(commands[1]);
    return {
      stage,
      page,
      chat,
      sessionId,
      turn,
      review: () => stage.client.call('review.list', { sessionId }),
      content: async (side, path) => (await stage.client.call('changes.file', { sessionId, side, path })).content,
    };
  } catch (error) {
    await stage.dispose();
    throw error;
  }
}

/** The part of a diff of many files that shows one of them. */
export function diffOf(page: Page, file: string): Locator {
  return page.locator('.multiDiffEntry:visible').filter({ has: page.locator('.file-path', { hasText: file }) });
}

/** The lenses with these words, from top to bottom. */
export function lens(within: Page | Locator, title: string): Locator {
  // The icon before the words is a character of its own.
  return within.locator('.codelens-decoration a', { hasText: new RegExp(`^\\W*${title}$`) });
}

/** Through the chat: a palette that is open when the diff comes would give it its keys. */
export async function openChanges({ page, chat }: Pick<ReviewStage, 'page' | 'chat'>): Promise<void> {
  await press(chat, 'Open Changes');
  await page.locator('.multiDiffEntry:visible').first().waitFor();
}
