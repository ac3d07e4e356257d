import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentSignal } from '../../../server/src/agents/agent.ts';
import { createClaudeDecoder } from '../../../server/src/agents/claude/claudeDecoder.ts';
import { uuidOfMessage } from '../../../server/src/agents/claude/messageUuid.ts';

const fixtures = join(import.meta.dirname, '..', '..', 'fixtures', 'claude');
const cases = readdirSync(fixtures, { withFileTypes: true }).filter(entry => entry.isDirectory());

function linesOf(name: string): string[] {
  return readFileSync(join(fixtures, name, 'out.jsonl'), 'utf8')
    .trimEnd()
    .split('\n');
}

function decode(lines: readonly string[]): AgentSignal[] {
  const decoder = createClaudeDecoder(undefined);
  return lines.flatMap(line => decoder.feed(line));
}

/** One signal a line, so that a difference is easy to read. */
function golden(signals: readonly AgentSignal[]): string {
  return `[\n${signals.map(signal => JSON.stringify(signal)).join(',\n')}\n]\n`;
}

describe('claudeDecoder: recordings of the real CLI', () => {
  for (const { name } of cases) {
    it(name, () => {
      const file = join(fixtures, name, 'signals.golden.json');
      const actual = golden(decode(linesOf(name)));
      rmSync(`${file}.actual`, { force: true });
      if (process.env['RESET_GOLDEN'] === '1') {
        writeFileSync(file, actual);
      }
      const expected = existsSync(file) ? readFileSync(file, 'utf8') : '';
      if (actual !== expected) {
        writeFileSync(`${file}.actual`, actual);
      }
      assert.equal(actual, expected, `Compare ${file} with ${file}.actual; RESET_GOLDEN=1 accepts the new one.`);
    });
  }

  it('gives the same signals when it is saved and restored after every line', () => {
    for (const { name } of cases) {
      const lines = linesOf(name);
      let decoder = createClaudeDecoder(undefined);
      const signals = lines.flatMap(line => {
        decoder = createClaudeDecoder(decoder.save());
        return decoder.feed(line);
      });
      assert.deepEqual(signals, decode(lines), name);
    }
  });

  it('gives the same signals whichever single line a restart falls on', () => {
    const lines = linesOf('34-recommended');
    const whole = decode(lines);
    for (let cut = 0; cut <= lines.length; cut++) {
      const before = createClaudeDecoder(undefined);
      const head = lines.slice(0, cut).flatMap(line => before.feed(line));
      const after = createClaudeDecoder(before.save());
      assert.deepEqual([...head, ...lines.slice(cut).flatMap(line => after.feed(line))], whole, `cut at ${cut}`);
    }
  });

  for (const { name } of cases) {
    it(`${name}: keeps the promises of the interface`, () => {
      const signals = decode(linesOf(name));
      const live = new Map<string, string>();
      let turn = false;
      for (const signal of signals) {
        if (signal.kind === 'delta') {
          const before = signal.offset === 0 ? '' : (live.get(signal.itemId) ?? '');
          assert.equal(before.length, signal.offset, 'deltas follow each other');
          live.set(signal.itemId, before + signal.text);
        } else if (signal.kind === 'text' || signal.kind === 'thinking') {
          assert.equal(live.get(signal.itemId) ?? signal.text, signal.text, 'the finished text is what was streamed');
          live.delete(signal.itemId);
        } else if (signal.kind === 'toolStarted') {
          live.delete(signal.toolId);
        } else if (signal.kind === 'turnStarted') {
          assert.ok(!turn, 'a turn starts once');
          turn = true;
        } else if (signal.kind === 'turnEnded') {
          assert.ok(turn, 'a turn ends after it started');
          turn = false;
          assert.deepEqual([...live.values()].join(''), '', 'no live text is left after a turn');
        }
      }
    });
  }
});

describe('claudeDecoder: lines', () => {
  const message = 'msg_01hzy3v6e0abcdefghjkmnpqrs';
  const echo = JSON.stringify({
    type: 'user',
    isReplay: true,
    uuid: uuidOfMessage(message),
    message: { content: 'x' },
  });
  const running = '{"type":"system","subtype":"session_state_changed","state":"running"}';
  const idle = '{"type":"system","subtype":"session_state_changed","state":"idle"}';
  const assistant = (id: string, block: object, parent: string | null = null): string =>
    JSON.stringify({ type: 'assistant', parent_tool_use_id: parent, message: { id, model: 'm', content: [block] } });
  const result = (more: object): string => JSON.stringify({ type: 'result', duration_ms: 5, ...more });
  const failureOf = (more: object): AgentSignal | undefined =>
    decode([running, result({ subtype: 'success', is_error: true, terminal_reason: 'api_error', ...more })]).at(-1);

  it('turns a line that is not JSON into a notice and goes on', () => {
    for (const bad of ['{"type":', 'hello', '42', 'null', '[]']) {
      const signals = decode([bad, echo]);
      assert.deepEqual(
        signals.map(signal => signal.kind),
        ['notice', 'messageTaken'],
      );
    }
  });

  it('survives whatever hostile fields hold', () => {
    const hostile = [
      { type: 'assistant' },
      { type: 'assistant', parent_tool_use_id: '__proto__', message: { id: '__proto__', content: [{}, 1, null] } },
      { type: 'stream_event', parent_tool_use_id: 'constructor', event: { type: 'content_block_delta', index: 'x' } },
      { type: 'stream_event', event: { type: 'message_stop' } },
      { type: 'stream_event' },
      { type: 'user', message: { content: [{ type: 'tool_result', content: { deep: [] } }] } },
      { type: 'result' },
      { type: 'control_request', request: { subtype: 'can_use_tool', input: 'x', permission_suggestions: [1, {}] } },
      { type: 'control_response', response: [] },
      { type: 'system', subtype: 'api_retry', attempt: 'many' },
      { type: 7 },
    ].map(line => JSON.stringify(line));
    const decoder = createClaudeDecoder(undefined);
    for (const line of [...hostile, ...hostile]) {
      decoder.feed(line);
      createClaudeDecoder(decoder.save());
    }
  });

  it('ignores unknown types, subtypes and empty lines', () => {
    assert.deepEqual(decode(['', '  ', '{"type":"brand_new"}', '{"type":"system","subtype":"brand_new"}']), []);
  });

  it('says once that a message was taken, also when it was sent again', () => {
    assert.deepEqual(decode([echo, echo]), [{ kind: 'messageTaken', messageId: message }]);
    assert.deepEqual(decode([echo.replace(/"uuid":"[^"]+"/, '"uuid":"2eb3e1f4-166f-4264-b895-927b00e61d62"')]), []);
  });

  it('numbers the blocks of a message when nothing was streamed', () => {
    const signals = decode([
      assistant('m1', { type: 'thinking', thinking: 'hm' }),
      assistant('m1', { type: 'redacted_thinking', data: 'x' }),
      assistant('m1', { type: 'text', text: 'a' }),
      assistant('m2', { type: 'text', text: 'b' }),
    ]);
    assert.deepEqual(
      signals.map(signal => ('itemId' in signal ? signal.itemId : '')),
      ['m1:0', 'm1:2', 'm2:0'],
    );
  });

  it('keeps the lanes of two subagents and of the agent apart', () => {
    const stream = (parent: string | null, event: object): string =>
      JSON.stringify({ type: 'stream_event', parent_tool_use_id: parent, event });
    const start = (id: string): object => ({ type: 'message_start', message: { id } });
    const block = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } };
    const delta = (text: string): object => ({ type: 'content_block_delta', index: 0, delta: { text } });
    const lines = [
      ...[null, 'toolA', 'toolB'].map(parent => stream(parent, start(`m${parent}`))),
      ...[null, 'toolA', 'toolB'].map(parent => stream(parent, block)),
      stream('toolA', delta('aa')),
      stream(null, delta('n')),
      stream('toolB', delta('b')),
      stream('toolA', delta('a')),
      assistant('mtoolA', { type: 'text', text: 'aaa' }, 'toolA'),
    ];
    assert.deepEqual(decode(lines), [
      { kind: 'delta', itemId: 'mtoolA:0', item: 'text', offset: 0, text: 'aa', parentToolId: 'toolA' },
      { kind: 'delta', itemId: 'mnull:0', item: 'text', offset: 0, text: 'n' },
      { kind: 'delta', itemId: 'mtoolB:0', item: 'text', offset: 0, text: 'b', parentToolId: 'toolB' },
      { kind: 'delta', itemId: 'mtoolA:0', item: 'text', offset: 2, text: 'a', parentToolId: 'toolA' },
      { kind: 'text', itemId: 'mtoolA:0', text: 'aaa', parentToolId: 'toolA' },
    ]);
  });

  it('stops the open calls of a turn that ends, and ends a turn that has no result', () => {
    const tool = assistant('m1', { type: 'tool_use', id: 't1', name: 'Bash', input: { command: 'sleep 9' } });
    assert.deepEqual(decode([running, tool, idle]).slice(-2), [
      { kind: 'toolFinished', toolId: 't1', outcome: 'stopped', output: '' },
      { kind: 'turnEnded', outcome: 'completed', durationMs: 0 },
    ]);
  });

  it('calls a refused tool denied, whatever told so', () => {
    const tool = assistant('m1', { type: 'tool_use', id: 't1', name: 'Bash', input: { command: 'x' } });
    const ask = JSON.stringify({
      type: 'control_request',
      request_id: 'r1',
      request: { subtype: 'can_use_tool', tool_name: 'Bash', tool_use_id: 't1', input: {} },
    });
    const answer = JSON.stringify({
      type: 'control_response',
      response: { subtype: 'success', request_id: 'r1', response: { behavior: 'deny', message: 'no' } },
    });
    const refused = { type: 'tool_result', tool_use_id: 't1', content: 'no', is_error: true };
    const finished = JSON.stringify({ type: 'user', message: { content: [refused] } });
    const withMeta = JSON.stringify({
      type: 'user',
      message: { content: [refused] },
      tool_result_meta: [{ id: 't1', permission_decision: { decision: 'reject' } }],
    });
    const denied = '{"type":"system","subtype":"permission_denied","tool_use_id":"t1"}';
    for (const lines of [
      [tool, ask, answer, finished],
      [tool, withMeta],
      [tool, denied, finished],
    ]) {
      assert.deepEqual(decode(lines).at(-1), { kind: 'toolFinished', toolId: 't1', outcome: 'denied', output: 'no' });
    }
    assert.deepEqual(decode([tool, finished]).at(-1), {
      kind: 'toolFinished',
      toolId: 't1',
      outcome: 'failed',
      output: 'no',
    });
  });

  it('withdraws only what is asked and not answered', () => {
    const ask = '{"type":"control_request","request_id":"r1","request":{"subtype":"can_use_tool","tool_name":"Bash"}}';
    const cancel = '{"type":"control_cancel_request","request_id":"r1"}';
    assert.equal(decode([ask, cancel]).at(-1)?.kind, 'approvalWithdrawn');
    assert.deepEqual(decode([cancel]), []);
    const answer = '{"type":"control_response","response":{"request_id":"r1","response":{"behavior":"allow"}}}';
    assert.equal(decode([ask, answer, cancel]).at(-1)?.kind, 'approvalAsked');
  });

  it('names the cause of a failed turn and what to do', () => {
    const codes: [object, string, boolean][] = [
      [{ api_error_status: 401 }, 'model_key_rejected', false],
      [{ api_error_status: 403, result: 'API Error: 403 nope' }, 'model_key_rejected', false],
      [{ api_error_status: 404, result: 'no such model' }, 'agent_failed', false],
      [{ api_error_status: 400, result: 'bad' }, 'agent_failed', false],
      [{ api_error_status: 429 }, 'unavailable', true],
      [{ api_error_status: 529 }, 'unavailable', true],
      [{ api_error_status: 500 }, 'unavailable', true],
      [{ result: 'ECONNREFUSED' }, 'unavailable', true],
      [{ api_error_status: 402, result: 'API Error: 402 [budget_spent] All spent.' }, 'budget_spent', false],
      [{ api_error_status: 403, result: 'x [model_key_missing] No key.' }, 'model_key_missing', false],
      [{ subtype: 'error_max_budget_usd', terminal_reason: 'budget_exhausted' }, 'budget_spent', false],
      [{ terminal_reason: 'prompt_too_long', api_error_status: 400 }, 'agent_failed', false],
    ];
    for (const [fields, code, retryable] of codes) {
      const end = failureOf(fields);
      assert.ok(end?.kind === 'turnEnded' && end.failure !== undefined, JSON.stringify(fields));
      assert.equal(end.failure.code, code);
      assert.equal(end.failure.retryable, retryable, JSON.stringify(fields));
      assert.match(end.failure.message, /\.$|: .+$/);
    }
    const stopped = failureOf({
      subtype: 'error_during_execution',
      terminal_reason: 'aborted_tools',
      errors: ['[ede] x'],
    });
    assert.deepEqual(stopped, { kind: 'turnEnded', outcome: 'stopped', durationMs: 5 });
  });

  it('tells why a process could not resume, though no turn began', () => {
    const [signal] = decode([result({ is_error: true, errors: ['No conversation found with session ID: x'] })]);
    assert.ok(signal?.kind === 'notice' && signal.level === 'error');
  });
});
