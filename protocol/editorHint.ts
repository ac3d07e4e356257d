/*
 * Hints name what helps where the relay runs: variables of its environment. In the editor the same is a setting or a
 * command, so that is what is named there.
 */

const IN_EDITOR: readonly [inTerminal: RegExp, inEditor: string][] = [
  [/set SANDPIPER_CLAUDE\b/gi, 'set `sandpiper.agent.claudePath` in the settings'],
  [/\bwith SANDPIPER_DATA\b/g, 'with the setting `sandpiper.relay.dataFolder`'],
  [/Set ANTHROPIC_API_KEY for the relay, or run (“[^”]+”) in VS Code/g, 'Run $1'],
  // Of a forge or of GitHub, with the other ways that there are.
  [/sign in to (GitHub|the forge) in VS Code[^.]* for the relay/gi, 'sign in to $1'],
  [/enter a token for (\S+) in VS Code, or set \S+ for the relay, as \S+=<token>/gi, 'enter a token for $1'],
];

/** A hint of the relay as it reads in VS Code. */
export function hintInEditor(hint: string): string {
  const text = IN_EDITOR.reduce((said, [inTerminal, inEditor]) => said.replace(inTerminal, inEditor), hint);
  return text.charAt(0).toUpperCase() + text.slice(1);
}
