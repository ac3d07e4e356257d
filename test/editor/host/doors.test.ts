import assert from 'node:assert/strict';
import { LanguageModelTextPart, lm, type LanguageModelToolResult } from 'vscode';
import { z } from 'zod';
import { joinRelay } from '../../support/joinRelay.ts';
import { scripted } from '../../support/modelScript.ts';
import { eventually } from '../../support/eventually.ts';

const TURN_TIMEOUT_MS = 25_000;

async function invoke(name: string, input: object): Promise<string> {
  const result: LanguageModelToolResult = await lm.invokeTool(name, { input, toolInvocationToken: undefined });
  return result.content.map(part => (part instanceof LanguageModelTextPart ? part.value : '')).join('');
}

describe('the tools for the editor’s own agents', () => {
  it('are known to the editor, with a description for a model', () => {
    const own = lm.tools.filter(({ name }) => name.startsWith('sandpiper_'));
    assert.deepEqual(own.map(({ name }) => name).toSorted(), ['sandpiper_getSession', 'sandpiper_startSession']);
    assert.ok(own.every(({ description }) => description.includes('Sandpiper')));
  });

  it('start a session on the open folder, wait for it, and list it', async () => {
    const prompt = scripted('Say it.', [{ text: 'It is said.' }]);
    const { sessionId } = z
      .object({ sessionId: z.string() })
      .parse(JSON.parse(await invoke('sandpiper_startSession', { prompt })));
    const seen: unknown = JSON.parse(await invoke('sandpiper_getSession', { sessionId, waitSeconds: 20 }));
    const { settled, lastAnswer } = z.looseObject({ settled: z.boolean(), lastAnswer: z.string() }).parse(seen);
    assert.deepEqual([settled, lastAnswer], [true, 'It is said.']);
    assert.match(await invoke('sandpiper_getSession', {}), new RegExp(sessionId));
    // The other tests of this window look for their own session.
    const client = joinRelay(process.env['SANDPIPER_TEST_DATA'] ?? '');
    try {
      await client.call('session.delete', { sessionId, force: true });
      await eventually(async () => {
        const { sessions } = await client.call('session.list', {});
        assert.ok(sessions.every(({ id }) => id !== sessionId));
      }, TURN_TIMEOUT_MS);
    } finally {
      client.dispose();
    }
  });

  it('say what is wrong in words that a model can act on', async () => {
    assert.match(await invoke('sandpiper_getSession', { sessionId: 'ses_x' }), /no id of a session.*Leave/);
    assert.match(await invoke('sandpiper_startSession', { prompt: ' ' }), /task is empty/);
  });
});
