import assert from 'node:assert/strict';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { LaunchSpec } from '../../../server/src/agents/agent.ts';
import { planLaunch } from '../../../server/src/agents/claude/launchPlan.ts';

const spec: LaunchSpec = {
  found: { path: '/usr/bin/claude', version: '2.1.328' },
  program: '/opt/claude',
  workspace: '/workspace',
  home: '/home/agent',
  journal: '/journal/1',
  conversationId: '0f8fad5b-d9cb-469f-a165-70867728950e',
  segment: 1,
  resume: false,
  model: undefined,
  effort: undefined,
  permissionMode: 'ask',
  gateway: { socket: '/relay/model.sock', token: 'session-token' },
  isolated: true,
};

describe('launchPlan', () => {
  it('is the whole line and environment that was proven', () => {
    assert.deepEqual(planLaunch(spec), {
      argv: [
        '/opt/claude',
        '-p',
        '--verbose',
        '--input-format=stream-json',
        '--output-format=stream-json',
        '--replay-user-messages',
        '--include-partial-messages',
        '--forward-subagent-text',
        '--permission-prompt-tool=stdio',
        '--disallowed-tools=EnterWorktree,ExitWorktree,CronCreate,CronDelete,CronList,ScheduleWakeup',
        '--permission-mode=default',
        '--session-id=0f8fad5b-d9cb-469f-a165-70867728950e',
        '--setting-sources=user,project,local',
        '--settings={"disableAutoMode":"disable"}',
      ],
      env: {
        CLAUDE_CONFIG_DIR: '/home/agent/.claude',
        CLAUDE_CODE_TMPDIR: '/home/agent/.claude/tmp',
        ANTHROPIC_UNIX_SOCKET: '/relay/model.sock',
        ANTHROPIC_BASE_URL: 'http://model.sandpiper.invalid',
        ANTHROPIC_AUTH_TOKEN: 'session-token',
        CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST: '1',
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        DISABLE_AUTOUPDATER: '1',
        CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS: '1',
        CLAUDE_CODE_EAGER_FLUSH: '1',
        CLAUDE_CODE_STARTUP_FAILURE_RESULTS: '1',
        CLAUDE_CODE_ENABLE_TODO_TOOLS: '1',
        CLAUDE_AGENT_SDK_CLIENT_APP: 'sandpiper/0.1.0',
        IS_SANDBOX: '1',
      },
      files: [],
    });
  });

  it('trusts nothing of the repository without isolation', () => {
    const plan = planLaunch({ ...spec, isolated: false });
    assert.ok(plan.argv.includes('--setting-sources=user'));
    assert.ok(plan.argv.includes('--strict-mcp-config'));
    assert.ok(plan.argv.includes('--settings={"disableAutoMode":"disable","disableAllHooks":true}'));
    assert.equal(plan.env['IS_SANDBOX'], undefined);
  });

  it('resumes the same conversation, over TCP, with a model', () => {
    const gateway = { url: 'http://127.0.0.1:7', token: 't' };
    const plan = planLaunch({ ...spec, segment: 2, resume: true, model: 'claude-sonnet-5', gateway });
    assert.ok(plan.argv.includes(`--resume=${spec.conversationId}`));
    assert.ok(!plan.argv.some(argument => argument.startsWith('--session-id')));
    assert.ok(plan.argv.includes('--model=claude-sonnet-5'));
    assert.equal(plan.env['ANTHROPIC_BASE_URL'], 'http://127.0.0.1:7');
    assert.equal(plan.env['ANTHROPIC_UNIX_SOCKET'], undefined);
  });

  it('leaves out flags that the version does not know', () => {
    const plan = planLaunch({ ...spec, found: { path: '', version: '2.1.197' } });
    assert.ok(!plan.argv.includes('--forward-subagent-text'));
  });

  it('maps the permission modes and keeps autopilot to sandboxes that isolate', () => {
    const mode = (permissionMode: LaunchSpec['permissionMode'], isolated = true): string[] =>
      planLaunch({ ...spec, permissionMode, isolated }).argv.filter(argument => argument.includes('permission'));
    assert.deepEqual(mode('acceptEdits').slice(1), ['--permission-mode=acceptEdits']);
    assert.deepEqual(mode('plan').slice(1), ['--permission-mode=plan']);
    assert.deepEqual(mode('autopilot').slice(1), [
      '--permission-mode=bypassPermissions',
      '--dangerously-skip-permissions',
    ]);
    assert.throws(
      () => mode('autopilot', false),
      error => error instanceof SandpiperError && error.code === 'invalid_params' && error.hint !== undefined,
    );
  });
});
