import assert from 'node:assert/strict';
import { newId } from '../../../protocol/ids.ts';
import { cutConversation } from '../../../server/src/agents/claude/cutConversation.ts';
import { uuidOfMessage } from '../../../server/src/agents/claude/messageUuid.ts';

const OLD = '0f8fad5b-d9cb-469f-a165-70867728950e';
const NEW = '7d444840-9dc0-41d1-b245-5ffdce74fad2';

describe('cutConversation', () => {
  const [first, second] = [newId('msg'), newId('msg')];
  const rows = [
    { type: 'queue-operation', operation: 'enqueue', content: 'one', sessionId: OLD },
    { type: 'user', uuid: uuidOfMessage(first), message: { role: 'user', content: 'one' }, sessionId: OLD },
    { type: 'api-request', sessionId: OLD },
    { type: 'assistant', uuid: 'a', message: { id: 'msg_x', content: [{ type: 'text', text: 'A' }] }, sessionId: OLD },
    { type: 'queue-operation', operation: 'enqueue', content: 'two', sessionId: OLD },
    { type: 'user', uuid: uuidOfMessage(second), message: { role: 'user', content: 'two' }, sessionId: OLD },
    { type: 'assistant', uuid: 'b', message: { id: 'msg_y', content: [{ type: 'tool_use', id: 'toolu_y' }] } },
    { type: 'user', uuid: 'c', message: { content: [{ type: 'tool_result', tool_use_id: 'toolu_y' }] } },
  ];
  const content = Buffer.from(rows.map(row => `${JSON.stringify(row)}\n`).join(''));
  const cut = (messageIds: string[], itemIds: string[], from: Buffer = content) => {
    const text = cutConversation(from, { messageIds: new Set(messageIds), itemIds: new Set(itemIds) }, NEW).toString();
    return text
      .split('\n')
      .filter(line => line !== '')
      .map((line): unknown => JSON.parse(line));
  };
  const kept = (count: number) =>
    rows
      .slice(0, count)
      .filter(({ type }) => type !== 'queue-operation')
      .map(row => ('sessionId' in row ? { ...row, sessionId: NEW } : row));

  it('ends before the first message, answer, call or result of what came later', () => {
    assert.deepEqual(cut([second], []), kept(5));
    assert.deepEqual(cut([], ['msg_y:0']), kept(6));
    assert.deepEqual(cut([], ['toolu_y']), kept(6));
    assert.deepEqual(cut([first], []), []);
    assert.deepEqual(cut([first], [], Buffer.concat([Buffer.from('{"type":"mode"}\n'), content])), []);
  });

  it('is whole, under the other id, when nothing came later', () => {
    assert.deepEqual(cut([], []), kept(rows.length));
  });

  it('leaves out what nobody can read', () => {
    const damaged = Buffer.concat([Buffer.from('{"type":\n[1]\nnull\n\n\xff\n', 'latin1'), content]);
    assert.deepEqual(cut([second], [], damaged), kept(5));
  });
});
