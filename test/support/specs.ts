import { DEFAULT_CHECK_SECONDS, type Spec, type SpecCheck } from '../../protocol/spec.ts';
import type { SessionState } from '../../protocol/session.ts';
import { writeSpec } from '../../protocol/specText.ts';
import type { StepInput } from './modelScript.ts';

/* Specs for tests, whose goal carries what the scripted model does turn after turn. */

export function command(text: string, more: { exitCode?: number; timeoutSeconds?: number } = {}): SpecCheck {
  return { kind: 'command', command: text, exitCode: 0, timeoutSeconds: DEFAULT_CHECK_SECONDS, ...more };
}

/** @param items checks by the title of their item */
export function specOf(title: string, items: Record<string, SpecCheck[]>, script: readonly StepInput[] = []): Spec {
  return {
    title,
    goal: script.length === 0 ? 'No script.' : `Do this: @@${JSON.stringify(script)}`,
    items: Object.entries(items).map(([name, checks]) => ({ title: name, text: '', checks })),
  };
}

export function specText(...spec: Parameters<typeof specOf>): string {
  return writeSpec(specOf(...spec));
}

/** A turn of the scripted model: one command, then a word. */
export function turn(shell: string): StepInput[] {
  return [{ tool: 'Bash', input: { command: shell } }, { text: 'Done.' }];
}

export function ended(state: SessionState): boolean {
  return state.spec?.ended !== undefined && state.phase.kind === 'idle';
}

/** How each check came out in the last round: `1.1 passed`. */
export function outcomes(state: SessionState): string[] {
  return Object.entries(state.spec?.round?.results ?? {}).map(([key, { outcome }]) => `${key} ${outcome}`);
}
