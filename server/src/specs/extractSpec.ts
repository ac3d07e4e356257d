import { createHash } from 'node:crypto';

/* A spec that comes out of a chat: how the agent is asked, and how its answer is read. */

const FENCE = '`'.repeat(6);
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** Asks for the spec of what was talked about. */
export const EXTRACT_MESSAGE = `Write down what we talked about as a spec. Answer with one block like this and nothing else, and change no file:

${FENCE}spec
# Title

What it is for, in any Markdown without headings.

## What is to be done, one item

More about it, if it needs more.

### Checks

- command: \`npm test\`
- test: \`test/thing.test.js\` by \`npm test\`
- file: \`README.md\`
- question: Something that only a person can judge?
${FENCE}

Every item has at least one check, one a line; a command must end with exit code 0 (or write: exits 1) and may be limited (within 5 min). Use commands that work in this repository.`;

/** The spec in an agent's answer: the last block that says it is one; undefined when there is none. */
export function specIn(answer: string): string | undefined {
  const blocks = [...answer.matchAll(/^(`{3,}|~{3,})[ \t]*spec[ \t]*\n([^]*?)^\1[ \t]*$/gm)];
  return blocks.at(-1)?.[2];
}

/** The id of the spec that a message asked for: the same one after a kill, so that it is written once. */
export function extractedSpecId(sessionId: string, messageId: string): string {
  const digest = createHash('sha256').update(`spec ${sessionId} ${messageId}`).digest();
  return `spc_${[...digest.subarray(0, 26)].map(byte => ALPHABET[byte % 32] ?? '0').join('')}`;
}
