import type { IconName } from '../components/icon.tsx';

const icons: Record<string, IconName> = {
  Bash: 'terminal',
  BashOutput: 'terminal',
  KillShell: 'terminal',
  Edit: 'edit',
  MultiEdit: 'edit',
  Write: 'edit',
  NotebookEdit: 'edit',
  Read: 'file',
  Grep: 'search',
  Glob: 'search',
  ToolSearch: 'search',
  WebFetch: 'globe',
  WebSearch: 'globe',
  Task: 'agent',
  Agent: 'agent',
  TodoWrite: 'list',
  ExitPlanMode: 'list',
  AskUserQuestion: 'question',
};

export function toolIcon(name: string): IconName {
  return icons[name] ?? 'tool';
}
