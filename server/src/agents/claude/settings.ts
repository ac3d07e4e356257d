import type { Effort, PermissionMode } from '../../../../protocol/composing.ts';
import type { RunningSettings } from '../agent.ts';

/* Model, effort and permission mode in the words of Claude Code. */

const MODES: Record<PermissionMode, string> = {
  // Never left to the default: some versions then decide by a classifier that needs another service.
  ask: 'default',
  acceptEdits: 'acceptEdits',
  plan: 'plan',
  autopilot: 'bypassPermissions',
};

export function modeName(mode: PermissionMode): string {
  return MODES[mode];
}

/** The mode that the agent says it is in; undefined for one that Sandpiper does not offer. */
export function modeOfName(name: string): PermissionMode | undefined {
  switch (name) {
    case 'default':
      return 'ask';
    case 'acceptEdits':
    case 'plan':
      return name;
    case 'bypassPermissions':
      return 'autopilot';
    default:
      return undefined;
  }
}

/** Begins the ids of the requests below, so that their answers are known among others. */
export const SETTINGS_REQUEST = 'settings-';

/**
 * The requests that bring a running agent from one group of settings to another; undefined when it must be started again:
 * it skips permissions only when it was started to, so that nothing in a repository can make it do so.
 */
export function settingsRequests(
  from: RunningSettings,
  to: RunningSettings,
): { name: string; request: Record<string, unknown> }[] | undefined {
  if (to.permissionMode === 'autopilot' && from.permissionMode !== 'autopilot') {
    return undefined;
  }
  return [
    ...(to.model === from.model ? [] : [{ name: 'model', request: { subtype: 'set_model', model: to.model ?? null } }]),
    ...(to.effort === from.effort ? [] : [{ name: 'effort', request: effortRequest(to.effort) }]),
    ...(to.permissionMode === from.permissionMode
      ? []
      : [{ name: 'mode', request: { subtype: 'set_permission_mode', mode: modeName(to.permissionMode) } }]),
  ];
}

function effortRequest(effort: Effort | undefined): Record<string, unknown> {
  return { subtype: 'apply_flag_settings', settings: { effortLevel: effort ?? null } };
}
