import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { calls, initializeSchema, notifications } from '../protocol/calls.ts';
import { CLOSE_CODES } from '../protocol/closeCodes.ts';
import { ERROR_CODES } from '../protocol/errors.ts';
import { eventBodySchema, sessionEventSchema } from '../protocol/events.ts';
import { typeText } from './typeText.ts';

/*
 * Fails when a generated part of docs/protocol.md is not what the schemas say; `--write` makes it so. A part stands
 * between `<!-- generated:name -->` and `<!-- /generated -->`.
 */

const root = join(import.meta.dirname, '..');
const file = join(root, 'docs/protocol.md');
const FENCE = '```';

const named = new Map<string, string>();
const params = (schema: z.ZodType): string => typeText(schema, named);

const sections: Record<string, string> = {
  initialize: code(`params: ${params(initializeSchema.params)}`, `result: ${params(initializeSchema.result)}`),
  calls: Object.entries(calls)
    .map(([name, call]) => {
      const rest = 'rest' in call ? `REST: \`${call.rest.method.toUpperCase()} ${call.rest.path}\`` : 'WebSocket only';
      const effect = call.mutates ? 'Changes something: `key` makes it safe to repeat. ' : '';
      return [
        `### ${name}`,
        `${call.summary}. ${effect}${rest}.`,
        code(`params: ${params(call.params)}`, `result: ${params(call.result)}`),
      ].join('\n\n');
    })
    .join('\n\n'),
  notifications: Object.entries(notifications)
    .map(([name, schema]) => {
      const text = schema.description === undefined ? [] : [`${schema.description}.`];
      return [`### ${name}`, ...text, code(params(schema))].join('\n\n');
    })
    .join('\n\n'),
  events: [
    code(
      `type SessionEvent = ${params(sessionEventSchema.omit({ body: true })).replace(/}$/, '  body: EventBody; // One of the following\n}')}`,
    ),
    ...eventBodySchema.options.map(option => code(params(option))),
  ].join('\n\n'),
  errors: table(
    ['code', 'JSON-RPC', 'HTTP', 'may succeed later'],
    Object.entries(ERROR_CODES).map(([name, { rpc, http, retryable }]) => [
      `\`${name}\``,
      String(rpc),
      String(http),
      retryable ? 'yes' : 'no',
    ]),
  ),
  closeCodes: table(
    ['code', 'meaning'],
    Object.values(CLOSE_CODES).map(({ code: number, meaning }) => [String(number), meaning]),
  ),
  state: code((await readFile(join(root, 'protocol/session.ts'), 'utf8')).replace(/^import[^;]*;\n+/, '').trim()),
  // Last: only now is every name known that the others used.
  types: '',
};
sections['types'] = code(
  ...[...named]
    .filter(([name]) => !['SessionState', 'SessionSummary', 'SessionEvent'].includes(name))
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([name, text]) => `type ${name} = ${text}`),
);

function code(...lines: string[]): string {
  return `${FENCE}ts\n${lines.join('\n')}\n${FENCE}`;
}

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n');
}

const before = await readFile(file, 'utf8');
const found = new Set<string>();
const after = before.replace(
  /(<!-- generated:(\w+) -->\n<!-- prettier-ignore-start -->\n)[^]*?(<!-- prettier-ignore-end -->\n<!-- \/generated -->)/g,
  (_whole, start: string, name: string, end: string) => {
    found.add(name);
    return `${start}\n${sections[name] ?? `No such section: ${name}`}\n\n${end}`;
  },
);
const missing = Object.keys(sections).filter(name => !found.has(name));
if (missing.length > 0) {
  console.error(`docs/protocol.md has no generated section for: ${missing.join(', ')}`);
  process.exitCode = 1;
} else if (process.argv.includes('--write')) {
  await writeFile(file, after);
} else if (after !== before) {
  console.error('docs/protocol.md is out of step with protocol/: run "node scripts/check-docs.ts --write"');
  process.exitCode = 1;
}
