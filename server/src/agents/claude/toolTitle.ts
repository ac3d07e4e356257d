import { text } from './streamJson.ts';

const MAX_LENGTH = 200;

/** One line for people: what the tool is about to do. Files are relative to `workspace` when they are in it. */
export function toolTitle(name: string, input: Record<string, unknown>, workspace: string | undefined): string {
  return oneLine(subject(name, input, workspace)) || name;
}

function subject(name: string, input: Record<string, unknown>, workspace: string | undefined): string {
  switch (name) {
    case 'Bash':
      return text(input['command']);
    case 'Read':
    case 'Edit':
    case 'Write':
    case 'NotebookEdit':
      return `${name} ${relative(text(input['file_path']) || text(input['notebook_path']), workspace)}`;
    case 'Grep':
    case 'Glob':
      return `${name} ${text(input['pattern'])}`;
    case 'Agent':
    case 'Task':
      return text(input['description']);
    case 'WebFetch':
      return `Fetch ${text(input['url'])}`;
    case 'WebSearch':
      return `Search ${text(input['query'])}`;
    case 'AskUserQuestion':
      return 'Questions for you';
    case 'ExitPlanMode':
      return 'Plan to approve';
    case 'TaskCreate':
      return `To do: ${text(input['subject'])}`;
    default:
      return [name, text(input['description']) || text(input['file_path'])].filter(part => part !== '').join(' ');
  }
}

function relative(path: string, workspace: string | undefined): string {
  return workspace !== undefined && path.startsWith(`${workspace}/`) ? path.slice(workspace.length + 1) : path;
}

function oneLine(subjectText: string): string {
  const line = subjectText.trim().split('\n', 1)[0] ?? '';
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH - 1)}…` : line;
}
