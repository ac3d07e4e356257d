/*
 * How much a person should look before they allow something. A hint for people by the words of the call, not a guard: what
 * keeps the machine safe is the sandbox.
 */

export type Risk = 'low' | 'medium' | 'high';

export interface RiskNote {
  risk: Risk;
  /** Why, in a few words. */
  why: string;
}

const READS = new Set(['Read', 'Grep', 'Glob', 'LS', 'NotebookRead', 'TodoWrite', 'TaskCreate', 'TaskList', 'TaskGet']);
const WRITES = new Set(['Edit', 'MultiEdit', 'Write', 'NotebookEdit']);
const NETWORK = new Set(['WebFetch', 'WebSearch']);

/** First what is worst. A command is looked at as a whole, with whatever it is made of. */
const COMMANDS: readonly (RiskNote & { words: RegExp })[] = [
  { words: /(^|[\s;&|(`])(sudo|doas|su)\s/, risk: 'high', why: 'asks for more rights' },
  { words: /\b(curl|wget)\b[^;&\n]*\|\s*(sudo\s+)?(ba|z|da|k)?sh\b/, risk: 'high', why: 'runs what it downloads' },
  {
    words: /\bbase64\b[^;&\n]*\|\s*(ba|z|da|k)?sh\b|\beval\b/,
    risk: 'high',
    why: 'runs text that cannot be read here',
  },
  { words: /\brm\s+(-\w*\s+)*-\w*[rRf]|\brm\s+(-\w+\s+)*\S*[*?]/, risk: 'high', why: 'deletes files' },
  { words: /\b(mkfs\S*|dd|shred|fdisk|wipefs)\s/, risk: 'high', why: 'overwrites data' },
  { words: /\bfind\b[^;&\n]*\s-(delete|exec)\b/, risk: 'high', why: 'acts on every file that it finds' },
  {
    words: /\bgit\s+(\S+\s+)*?(push|reset\s+--hard|clean|checkout\s+(--|\.)|filter-\S+|update-ref)/,
    risk: 'high',
    why: 'changes history or throws work away',
  },
  { words: /\b(chmod|chown)\s+(-\w+\s+)*-\w*R/, risk: 'high', why: 'changes rights of many files' },
  { words: /\b(ssh|scp|rsync|nc|ncat|telnet)\s/, risk: 'high', why: 'talks to another machine' },
  { words: /\b(npm|pnpm|yarn|cargo|gem|twine)\s+publish\b/, risk: 'high', why: 'publishes a package' },
  { words: /\b(docker|podman|kubectl|terraform|aws|gcloud|az)\s/, risk: 'high', why: 'acts on other systems' },
  { words: /\b(kill|pkill|killall|shutdown|reboot)\b/, risk: 'high', why: 'ends processes' },
  { words: /(^|[\s=:"'])(\/etc\/|~\/\.|\$HOME\/\.|\/root\/)/, risk: 'high', why: 'touches settings outside the work' },
  { words: /\b(curl|wget|pip3?|npx|pipx|uvx)\s/, risk: 'medium', why: 'uses the network' },
  {
    words: /\b(npm|pnpm|yarn|cargo|go|gem|apt|apt-get|brew)\s+(i|install|add|get|ci|update|upgrade)\b/,
    risk: 'medium',
    why: 'installs packages',
  },
  { words: /\bgit\s+(\S+\s+)*?(fetch|pull|clone|remote)\b/, risk: 'medium', why: 'uses the network' },
];

/**
 * @param name of the tool
 * @param input as the agent gave it
 */
export function riskOf(name: string, input: Record<string, unknown>): RiskNote {
  if (READS.has(name)) {
    return { risk: 'low', why: 'only reads' };
  }
  if (WRITES.has(name)) {
    return { risk: 'medium', why: 'changes a file in the sandbox' };
  }
  if (NETWORK.has(name)) {
    return { risk: 'medium', why: 'sends what it asks for to the network' };
  }
  if (name === 'Bash') {
    const command = typeof input['command'] === 'string' ? input['command'] : '';
    const { risk, why } = COMMANDS.find(({ words }) => words.test(command)) ?? {
      risk: 'medium' as const,
      why: 'runs a command in the sandbox',
    };
    return { risk, why };
  }
  return name.startsWith('mcp__')
    ? { risk: 'medium', why: 'calls a tool outside the agent' }
    : { risk: 'medium', why: 'uses a tool in the sandbox' };
}
