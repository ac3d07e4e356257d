import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { SessionState, ToolItem } from '../../protocol/session.ts';
import { scripted } from '../support/modelScript.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const over = (state: SessionState): boolean => state.phase.kind === 'idle' && state.turns.every(turn => turn.agent);
const tool = (state: SessionState, name: string): ToolItem | undefined =>
  state.items.find((item): item is ToolItem => item.kind === 'tool' && item.name === name);

describe('what the agent says of its work', () => {
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(async () => {
    await shop.dispose();
  });

  it('is a list of things to do', async () => {
    const id = await shop.begin([
      {
        blocks: [
          { tool: 'TaskCreate', input: { subject: 'Read', description: 'd', activeForm: 'Reading' } },
          { tool: 'TaskCreate', input: { subject: 'Write', description: 'd' } },
          { tool: 'TaskCreate', input: { subject: 'Forget', description: 'd' } },
        ],
      },
      { tool: 'TaskUpdate', input: { taskId: '1', status: 'completed' } },
      { tool: 'TaskUpdate', input: { taskId: '2', status: 'in_progress' } },
      { tool: 'TaskUpdate', input: { taskId: '3', status: 'deleted' } },
      { tool: 'TaskUpdate', input: { taskId: '77', status: 'completed' } },
      { tool: 'TaskList' },
      { text: 'ok' },
    ]);
    const { todos } = await shop.until(id, 'one turn', state => state.turns.length === 1 && over(state));
    assert.deepEqual(todos, [
      { id: '1', text: 'Read', status: 'done', doing: 'Reading' },
      { id: '2', text: 'Write', status: 'active' },
    ]);
  });

  it('is how full the memory of the model is, with what it holds at most', async () => {
    const usage = { input_tokens: 1000, cache_read_input_tokens: 40_000, cache_creation_input_tokens: 300 };
    const id = await shop.begin([{ text: 'ok', usage }]);
    const { context } = await shop.until(id, 'one turn', state => state.turns.length === 1 && over(state));
    assert.equal(context?.tokens, 41_300);
    assert.ok((context?.window ?? 0) >= 200_000, `the agent names the window: ${context?.window}`);
  });

  it('is how a subagent stands, whose call is answered before it is done', async () => {
    const prompt = scripted('Look around', [{ tool: 'Bash', input: { command: 'echo from below' } }, { text: 'seen' }]);
    const id = await shop.begin([
      { tool: 'Agent', input: { description: 'Look', prompt, subagent_type: 'general-purpose' } },
      { text: 'It looks around.' },
    ]);
    const state = await shop.until(id, 'the subagent is done', now => tool(now, 'Agent')?.task?.state === 'ok', 30_000);
    const agent = tool(state, 'Agent');
    assert.ok((agent?.task?.tokens ?? 0) > 0);
    assert.equal(agent?.task?.toolUses, 1);
    const bash = tool(state, 'Bash');
    assert.equal(bash?.parentToolId, agent?.id);
    assert.match(bash?.output?.text ?? '', /from below/);
  });

  it('ends with the process: nothing goes on in the background without it', async () => {
    const id = await shop.begin([
      { tool: 'Bash', input: { command: 'tail -f /dev/null', run_in_background: true, description: 'wait' } },
      { text: 'It waits.' },
    ]);
    await shop.until(id, 'the command runs', now => tool(now, 'Bash')?.task?.state === 'running' && over(now));
    await shop.client.call('session.archive', { sessionId: id, archived: true });
    const state = await shop.until(id, 'the agent is gone', now => !now.agent.running);
    assert.equal(tool(state, 'Bash')?.task?.state, 'stopped');
  });
});
