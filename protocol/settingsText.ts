import type { Effort, PermissionMode } from './composing.ts';

/* The settings of an agent in words, the same on every surface. */

export const MODE_WORDS: Record<PermissionMode, { label: string; short: string; meaning: string }> = {
  ask: { label: 'Ask before each step', short: 'Ask', meaning: 'You allow commands and edits one by one' },
  acceptEdits: {
    label: 'Accept edits',
    short: 'Accept edits',
    meaning: 'Edits files in its clone; asks before commands',
  },
  plan: { label: 'Plan first', short: 'Plan', meaning: 'Changes nothing until you approve a plan' },
  autopilot: { label: 'Autopilot', short: 'Autopilot', meaning: 'Asks nothing; rely on the sandbox' },
};

export const EFFORT_WORDS: Record<Effort, string> = {
  low: 'Low effort',
  medium: 'Medium effort',
  high: 'High effort',
  xhigh: 'Extra high effort',
  max: 'Maximum effort',
};

interface Change {
  model: string | null | undefined;
  effort: Effort | null | undefined;
  permissionMode: PermissionMode | undefined;
}

/** What changed, for the transcript: `Permission mode: Accept edits.` */
export function settingsText({ model, effort, permissionMode }: Change, by: string): string {
  const parts = [
    ...(model === undefined ? [] : [`Model: ${model ?? "the agent's choice"}.`]),
    ...(effort === undefined ? [] : [effort === null ? "Effort: the agent's choice." : `${EFFORT_WORDS[effort]}.`]),
    ...(permissionMode === undefined ? [] : [`Permission mode: ${MODE_WORDS[permissionMode].label}.`]),
  ];
  return `${parts.join(' ')}${by === 'agent' ? ' The agent changed it.' : ''}`;
}
