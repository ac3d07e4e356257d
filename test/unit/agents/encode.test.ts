import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SandpiperError } from '../../../protocol/errors.ts';
import { idPattern, newId } from '../../../protocol/ids.ts';
import { approvalOf } from '../../../server/src/agents/claude/approval.ts';
import {
  encodeAnswer,
  encodeInterrupt,
  encodeMessage,
  encodeSettings,
} from '../../../server/src/agents/claude/encode.ts';
import { messageOfUuid, uuidOfMessage } from '../../../server/src/agents/claude/messageUuid.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const request = {
  requestId: 'r1',
  tool: 'Bash',
  toolId: 't1',
  input: { command: 'touch x', timeout: 5 },
  reason: undefined,
  suggestions: [
    { type: 'addRules', rules: [{ toolName: 'Bash' }], behavior: 'allow', destination: 'localSettings' },
    { type: 'addDirectories', directories: ['/workspace'], destination: 'session' },
    { type: 'setMode', mode: 'acceptEdits', destination: 'session' },
  ],
  noRule: false,
};
const contextOf = (more: Partial<typeof request> = {}): string =>
  approvalOf({ ...request, ...more }, '/workspace').answerContext;
const answer = (line: string): unknown => JSON.parse(line).response.response;

describe('messageUuid', () => {
  it('turns every message id into a UUID and back', () => {
    fc.assert(
      fc.property(fc.nat(4_000_000_000_000), now => {
        const messageId = newId('msg', now);
        const uuid = uuidOfMessage(messageId);
        assert.match(uuid ?? '', UUID);
        assert.equal(messageOfUuid(uuid ?? ''), messageId);
        assert.match(messageId, idPattern('msg'));
      }),
    );
  });

  it('knows what is not its own', () => {
    for (const id of ['', 'msg_x', newId('ses'), `msg_${'i'.repeat(26)}`, `msg_${'z'.repeat(26)}`]) {
      assert.equal(uuidOfMessage(id), undefined, id);
    }
    assert.equal(messageOfUuid('2eb3e1f4-166f-4264-b895-927b00e61d62'), undefined);
    assert.equal(messageOfUuid('nonsense'), undefined);
  });
});

describe('encode', () => {
  it('writes one line of JSON for a message', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        const line = encodeMessage({ messageId: newId('msg'), text });
        assert.equal(line.indexOf('\n'), line.length - 1);
        const message = JSON.parse(line);
        assert.equal(message.message.content, text);
        assert.match(message.uuid, UUID);
      }),
    );
    assert.throws(() => encodeMessage({ messageId: 'odd', text: 'x' }), SandpiperError);
  });

  it('keeps commands from the CLI that would lose the conversation', () => {
    const composed = (text: string): unknown =>
      JSON.parse(encodeMessage({ messageId: newId('msg'), text })).client_composed;
    for (const text of ['/clear', ' /exit now', '/RESUME', '/login']) {
      assert.equal(composed(text), true, text);
    }
    for (const text of ['/compact', '/clearly', 'please /clear', '/etc/passwd']) {
      assert.equal(composed(text), undefined, text);
    }
  });

  it('gives the whole input back when a tool is allowed', () => {
    assert.deepEqual(answer(encodeAnswer(contextOf(), { kind: 'allow' })), {
      behavior: 'allow',
      updatedInput: request.input,
    });
  });

  it('limits "always" to the session, to the rule and its folders', () => {
    assert.deepEqual(answer(encodeAnswer(contextOf(), { kind: 'allow', always: true })), {
      behavior: 'allow',
      updatedInput: request.input,
      updatedPermissions: [
        { type: 'addRules', rules: [{ toolName: 'Bash' }], behavior: 'allow', destination: 'session' },
        { type: 'addDirectories', directories: ['/workspace'], destination: 'session' },
      ],
    });
    const edits = contextOf({ tool: 'Write', suggestions: request.suggestions.slice(2) });
    assert.deepEqual(answer(encodeAnswer(edits, { kind: 'allow', always: true })), {
      behavior: 'allow',
      updatedInput: request.input,
      updatedPermissions: [{ type: 'setMode', mode: 'acceptEdits', destination: 'session' }],
    });
    assert.equal(approvalOf({ ...request, noRule: true }, undefined).approval.canAlwaysAllow, false);
    const denyRule = { ...request.suggestions[0], type: 'addRules', behavior: 'deny', destination: 'session' };
    assert.equal(approvalOf({ ...request, suggestions: [denyRule] }, undefined).approval.canAlwaysAllow, false);
  });

  it('never denies without a message', () => {
    for (const message of [undefined, '', '  ']) {
      const denied = answer(encodeAnswer(contextOf(), { kind: 'deny', ...(message === undefined ? {} : { message }) }));
      assert.match(JSON.stringify(denied), /"behavior":"deny","message":"[^"]+"/);
    }
  });

  it('answers questions, and only questions', () => {
    const context = contextOf({ tool: 'AskUserQuestion', input: { command: '', timeout: 0 } });
    const answers = { 'Which?': 'This' };
    assert.deepEqual(answer(encodeAnswer(context, { kind: 'answers', answers })), {
      behavior: 'allow',
      updatedInput: { command: '', timeout: 0, answers },
    });
    assert.throws(() => encodeAnswer(contextOf(), { kind: 'answers', answers }), SandpiperError);
  });

  it('interrupts', () => {
    assert.deepEqual(JSON.parse(encodeInterrupt('stop-1')), {
      type: 'control_request',
      request_id: 'stop-1',
      request: { subtype: 'interrupt' },
    });
  });
});

describe('encodeSettings', () => {
  const own = { model: undefined, effort: undefined, permissionMode: 'ask' } as const;
  const requests = (lines: string[] | undefined): unknown => lines?.map(line => JSON.parse(line).request);

  it('asks for what differs alone, and gives the choice back to the agent', () => {
    assert.deepEqual(requests(encodeSettings(own, own, '1')), []);
    const other = { model: 'opus', effort: 'max', permissionMode: 'plan' } as const;
    assert.deepEqual(requests(encodeSettings(own, other, '1')), [
      { subtype: 'set_model', model: 'opus' },
      { subtype: 'apply_flag_settings', settings: { effortLevel: 'max' } },
      { subtype: 'set_permission_mode', mode: 'plan' },
    ]);
    assert.deepEqual(requests(encodeSettings(other, { ...own, permissionMode: 'plan' }, '1')), [
      { subtype: 'set_model', model: null },
      { subtype: 'apply_flag_settings', settings: { effortLevel: null } },
    ]);
  });

  it('cannot let an agent go on without asking that was not started to', () => {
    const autopilot = { ...own, permissionMode: 'autopilot' } as const;
    assert.equal(encodeSettings(own, autopilot, '1'), undefined);
    assert.deepEqual(requests(encodeSettings(autopilot, own, '1')), [
      { subtype: 'set_permission_mode', mode: 'default' },
    ]);
  });
});
