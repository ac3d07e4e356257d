import type { PermissionMode } from '../../../../protocol/events.ts';
import { VERSION } from '../../core/config.ts';
import type { LaunchPlan, LaunchSpec } from '../agent.ts';
import { autopilotNeedsIsolation } from '../../core/autopilot.ts';
import { atLeast } from './claudeVersion.ts';
import { modeName } from './settings.ts';

/** Below this, `error: unknown option` ends the process. Proven on 2.1.328; an unknown flag on 2.1.197. */
const FORWARD_SUBAGENT_TEXT_SINCE = '2.1.268';

/**
 * A worktree would take the edits out of the clone that is reviewed; a clock inside the process dies with every restart of
 * it and would begin turns that nobody asked for.
 */
const UNFIT_TOOLS = ['EnterWorktree', 'ExitWorktree', 'CronCreate', 'CronDelete', 'CronList', 'ScheduleWakeup'];

/**
 * Host name of the model when calls go over the unix socket. It is never resolved. `http:` matters: with `https:` the CLI
 * speaks TLS over the socket and retries for ever.
 */
const SOCKET_URL = 'http://model.sandpiper.invalid';

/**
 * How to start Claude Code. Pure. A first process gets `--session-id`, a later one `--resume`: its home must be the same
 * folder, for the conversation is stored there.
 * @throws `invalid_params` for autopilot without isolation
 */
export function planLaunch(spec: LaunchSpec): LaunchPlan {
  const argv = [
    spec.program,
    '-p',
    '--verbose',
    '--input-format=stream-json',
    '--output-format=stream-json',
    '--replay-user-messages',
    '--include-partial-messages',
    ...(atLeast(spec.found.version, FORWARD_SUBAGENT_TEXT_SINCE) ? ['--forward-subagent-text'] : []),
    '--permission-prompt-tool=stdio',
    `--disallowed-tools=${UNFIT_TOOLS.join(',')}`,
    ...permissionFlags(spec.permissionMode, spec.isolated),
    `${spec.resume ? '--resume' : '--session-id'}=${spec.conversationId}`,
    ...trustFlags(spec),
    ...effortFlags(spec),
    ...(spec.model === undefined ? [] : [`--model=${spec.model}`]),
  ];
  return { argv, env: environment(spec), files: [] };
}

function permissionFlags(mode: PermissionMode, isolated: boolean): string[] {
  if (mode !== 'autopilot') {
    return [`--permission-mode=${modeName(mode)}`];
  }
  if (!isolated) {
    throw autopilotNeedsIsolation();
  }
  return [`--permission-mode=${modeName(mode)}`, '--dangerously-skip-permissions'];
}

/**
 * A repository's own settings can run commands and redirect model calls without a prompt. They are honoured only where
 * there is nothing to steal.
 */
function trustFlags({ isolated, rules = [] }: LaunchSpec): string[] {
  const settings = {
    disableAutoMode: 'disable',
    ...(isolated ? {} : { disableAllHooks: true }),
    ...(rules.length > 0 ? { permissions: { allow: rules } } : {}),
  };
  return [
    ...(isolated ? ['--setting-sources=user,project,local'] : ['--setting-sources=user', '--strict-mcp-config']),
    `--settings=${JSON.stringify(settings)}`,
  ];
}

/** Older versions have no such flag, and none of them is asked: what they do not know ends them. */
function effortFlags({ effort, found }: LaunchSpec): string[] {
  return effort !== undefined && atLeast(found.version, FORWARD_SUBAGENT_TEXT_SINCE) ? [`--effort=${effort}`] : [];
}

function environment(spec: LaunchSpec): Record<string, string> {
  const { gateway } = spec;
  return {
    CLAUDE_CONFIG_DIR: `${spec.home}/.claude`,
    // Otherwise agents of one machine share a folder in /tmp, find each other there, and leave it behind.
    CLAUDE_CODE_TMPDIR: `${spec.home}/.claude/tmp`,
    ...('socket' in gateway
      ? { ANTHROPIC_UNIX_SOCKET: gateway.socket, ANTHROPIC_BASE_URL: SOCKET_URL }
      : { ANTHROPIC_BASE_URL: gateway.url }),
    ANTHROPIC_AUTH_TOKEN: gateway.token,
    // Settings of the repository may not redirect model calls.
    CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST: '1',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    // `session_state_changed` lines; with eager flushing the echo of a message means that it is on disk.
    CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS: '1',
    CLAUDE_CODE_EAGER_FLUSH: '1',
    CLAUDE_CODE_STARTUP_FAILURE_RESULTS: '1',
    CLAUDE_CODE_ENABLE_TODO_TOOLS: '1',
    ...(spec.goOn === true
      ? { CLAUDE_CODE_RESUME_INTERRUPTED_TURN: '1', CLAUDE_CODE_RESUME_REASON: 'relay_restart' }
      : {}),
    CLAUDE_AGENT_SDK_CLIENT_APP: `sandpiper/${VERSION}`,
    // Without it the CLI refuses to skip permissions when the sandbox maps the user to root.
    ...(spec.isolated ? { IS_SANDBOX: '1' } : {}),
  };
}
