/*
 * What a message of a chaos session asks for. The text itself carries it, so that an agent needs no memory but its
 * conversation: the scripted model and the stand-in agent both read it. Letters, digits and `.=` only, for the stand-in
 * reads JSON with the pattern matching of a shell.
 */

export interface Work {
  /** Counts the messages of a session from 1. */
  message: number;
  /** How many tools the turn runs, one after the other; each leaves one line in the effects file. */
  tools: number;
  /** How long each tool takes. */
  paceMs: number;
  /** The steps (from 1) whose question the person denies. Not in the text: the agent learns it from the answer. */
  denied: readonly number[];
  /** The person submits their review with it. */
  asReview: boolean;
}

/** Where the tools of a session leave their lines, in the root of its workspace; a message has one of them. */
export const EFFECTS_FILES = ['chaos-0.txt', 'chaos-1.txt', 'chaos-2.txt'] as const;

export function effectsFileOf(message: number): string {
  return `chaos-${message % EFFECTS_FILES.length}.txt`;
}

export function textOf({ message, tools, paceMs }: Work): string {
  return `chaos m=${message} tools=${tools} pace=${(paceMs / 1000).toFixed(3)}`;
}

/** Undefined for every other text. */
export function workIn(text: string): Pick<Work, 'message' | 'tools' | 'paceMs'> | undefined {
  const found = /chaos m=(\d+) tools=(\d+) pace=(\d+\.\d+)/.exec(text);
  return found
    ? { message: Number(found[1]), tools: Number(found[2]), paceMs: Math.round(Number(found[3]) * 1000) }
    : undefined;
}

/** The line that a tool leaves. The tool's id is in it, so that every line is known by the one call that made it. */
export function effectLine(toolId: string, message: number, step: number): string {
  return `${toolId} ${message}.${step}`;
}

/** The command of a step, which the agent shows when it asks. */
export function commandOf(toolId: string, message: number, step: number): string {
  return `echo '${effectLine(toolId, message, step)}' >> ${effectsFileOf(message)}`;
}

export interface Effect {
  toolId: string;
  message: number;
  step: number;
}

/** The effect in a line or in a command; undefined when there is none. */
export function effectIn(text: string): Effect | undefined {
  const found = /(toolu_\w+) (\d+)\.(\d+)/.exec(text);
  return found?.[1] === undefined ? undefined : { toolId: found[1], message: Number(found[2]), step: Number(found[3]) };
}

/** What the agent says at the end of a turn: which messages its conversation has, in order, this one included. */
export function endText(message: number, remembered: readonly number[]): string {
  return `Message ${message} is done. Remembered: ${remembered.join('.')}.`;
}

/** Undefined for every other text. */
export function rememberedIn(text: string): number[] | undefined {
  const found = /Remembered: ([\d.]*\d)\./.exec(text)?.[1];
  return found?.split('.').map(Number);
}
