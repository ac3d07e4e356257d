import { elapsed } from './elapsed.ts';
import type { Payload } from './events.ts';
import type { Item, SessionState, ToolItem } from './session.ts';

/**
 * A session as a Markdown document: who said what, what was done, what it cost. What an agent or a tool wrote stands there as
 * text: it cannot end its block or begin another part of the document.
 * @param state with all of its items, their texts whole
 */
export function sessionMarkdown(state: SessionState): string {
  const parts = [head(state)];
  let turn = 0;
  for (const item of state.items) {
    if ('turn' in item && item.turn !== undefined && item.turn > turn && item.kind !== 'turnEnd') {
      ({ turn } = item);
      parts.push(`## Turn ${turn}`);
    }
    parts.push(itemText(item));
  }
  return `${parts.filter(part => part !== '').join('\n\n')}\n`;
}

function head(state: SessionState): string {
  const { repository, usage, stats, pullRequest } = state;
  const facts = [
    `Session: ${code(state.id)}`,
    `Repository: ${code(repository.source)}${repository.branch === undefined ? '' : `, branch ${code(repository.branch)}`}`,
    `Started from: ${code(state.startedFrom ?? state.base)}${state.includesUncommitted ? ', with uncommitted work' : ''}`,
    `Began: ${time(state.createdAt)}; last changed: ${time(state.updatedAt)}`,
    `Agent: ${state.agent.id}${state.agent.version === undefined ? '' : ` ${state.agent.version}`}${state.model === undefined ? '' : `, model ${code(state.model)}`}`,
    `Changed: ${stats.files} files, +${stats.insertions} −${stats.deletions}`,
    `Used: ${usage.inputTokens} tokens in, ${usage.outputTokens} out, ${usage.cacheReadTokens} read from the cache, ${usage.cacheWriteTokens} written to it, $${usage.costUsd.toFixed(2)}`,
    ...(pullRequest ? [`Pull request: <${pullRequest.url}>`] : []),
  ];
  return `# ${oneLine(state.title)}\n\n${facts.map(fact => `- ${fact}`).join('\n')}`;
}

function itemText(item: Item): string {
  switch (item.kind) {
    case 'message': {
      const images = item.images?.map(({ mediaType, bytes }) => `*Image: ${mediaType}, ${bytes} bytes*`) ?? [];
      return [`**${oneLine(item.by)}**, ${time(item.at)}:`, quoted(item.text), ...images].join('\n\n');
    }
    case 'text':
      // Agents write Markdown: quoted it stays what it is, and its headings are not those of the document.
      return `**Agent**${below(item)}, ${time(item.at)}:\n\n${quoted(item.text.text)}${cut(item.text)}`;
    case 'thinking':
      return details(`Thought${below(item)}`, `${quoted(item.text.text)}${cut(item.text)}`);
    case 'tool':
      return toolText(item);
    case 'notice':
      return `*${oneLine(item.text)}${item.hint === undefined ? '' : ` ${oneLine(item.hint)}`}*`;
    case 'turnEnd': {
      const failure = item.failure ? ` ${oneLine(item.failure.message)}` : '';
      const changed = item.changed ? 'files changed' : 'no file changed';
      return `*Turn ${item.turn} ${item.outcome} after ${elapsed(item.durationMs)}, $${item.usage.costUsd.toFixed(2)}, ${changed}.${failure}*`;
    }
  }
}

function toolText(item: ToolItem): string {
  const took = item.finishedAt === undefined ? '' : `, ${elapsed(item.finishedAt - item.at)}`;
  const title = `${item.name}${below(item)}: ${item.title} (${item.state}${took})`;
  const output =
    item.output && item.output.text !== '' ? `\n\nAnswer:\n\n${fenced(item.output.text)}${cut(item.output)}` : '';
  return details(title, `${fenced(pretty(item.input.text), 'json')}${cut(item.input)}${output}`);
}

function below(item: { parentToolId?: string }): string {
  return item.parentToolId === undefined ? '' : ' of a subagent';
}

/** What stands outside the log was too large to be taken along. */
function cut({ text, blob }: Payload): string {
  return blob ? `\n\n*The first ${text.length} characters of ${blob.bytes} bytes.*` : '';
}

function details(title: string, body: string): string {
  return `<details>\n<summary>${escaped(oneLine(title))}</summary>\n\n${body}\n\n</details>`;
}

/** Tags by which the document folds its parts are not the text's to close or open. */
function quoted(text: string): string {
  return plain(text)
    .replace(/<(?=\/?(?:details|summary)\b)/gi, '&lt;')
    .trimEnd()
    .split('\n')
    .map(line => (line === '' ? '>' : `> ${line}`))
    .join('\n');
}

/** With more backticks than the text has in a row. */
function fenced(text: string, language = ''): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(Math.max(3, longest + 1));
  return `${fence}${language}\n${plain(text).trimEnd()}\n${fence}`;
}

function code(text: string): string {
  return `\`${oneLine(text).replaceAll('`', "'")}\``;
}

function oneLine(text: string): string {
  return plain(text).replace(/\s+/g, ' ').trim();
}

/** Line breaks of one kind only: every other one would end a quote or a fence unseen. */
function plain(text: string): string {
  return text.replace(/\r\n?|\u0085|\u2028|\u2029/g, '\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function time(at: number): string {
  return new Date(at).toISOString();
}

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}
