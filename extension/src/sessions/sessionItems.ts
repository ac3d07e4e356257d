import * as vscode from 'vscode';
import { isRecoverable, summaryText } from '../../../protocol/activity.ts';
import { askLine } from '../../../protocol/asking.ts';
import type { Ask, SessionSummary } from '../../../protocol/session.ts';
import { groupOf, type GroupId, type SessionGroup } from '../../../protocol/sessionGroup.ts';
import { describeSession, sessionContext, sessionFacts } from './sessionGroups.ts';
import { count, t, told } from '../../../protocol/text.ts';

/* How the rows of the list look. */

const ICONS: Record<Exclude<GroupId, 'pinned'>, { icon: string; color?: string }> = {
  needsYou: { icon: 'bell-dot', color: 'charts.yellow' },
  running: { icon: 'loading~spin' },
  ready: { icon: 'git-compare', color: 'charts.blue' },
  done: { icon: 'pass', color: 'charts.green' },
  archived: { icon: 'archive' },
};

/** @param isFiltered a filter is on: then what is archived is looked for too */
export function groupItem(group: SessionGroup, isFiltered: boolean): vscode.TreeItem {
  const item = new vscode.TreeItem(
    told(group.label),
    group.id === 'archived' && !isFiltered
      ? vscode.TreeItemCollapsibleState.Collapsed
      : vscode.TreeItemCollapsibleState.Expanded,
  );
  item.id = `group:${group.id}`;
  item.description = String(group.sessions.length);
  item.contextValue = 'group';
  item.accessibilityInformation = { label: `${told(group.label)}, ${count(group.sessions.length, 'session')}` };
  return item;
}

export function sessionItem(summary: SessionSummary): vscode.TreeItem {
  const now = Date.now();
  const asks = summary.archived ? [] : (summary.asking ?? []);
  const item = new vscode.TreeItem(
    summary.title,
    asks.length > 0 ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.None,
  );
  const look = lookOf(summary);
  // The editor keeps a row collapsed that it once drew without rows below it, by its id.
  item.id = asks.length > 0 ? `${summary.id}:asking` : summary.id;
  item.description = describeSession(summary, now);
  item.tooltip = sessionTooltip(summary, now);
  item.contextValue = sessionContext(summary);
  item.iconPath = icon(look);
  item.accessibilityInformation = {
    label: [
      summary.title,
      summaryText(summary, now),
      ...(summary.pinned === true ? [t('pinned')] : []),
      ...(summary.tags ? [t('tags {0}', summary.tags.join(', '))] : []),
    ].join(', '),
  };
  item.command = { command: 'sandpiper.openSession', title: t('Open Session'), arguments: [summary.id] };
  return item;
}

/** What an agent asks for, below its session: the words that a person allows stand in the row. */
export function askItem(sessionId: string, ask: Ask): vscode.TreeItem {
  const item = new vscode.TreeItem(askLine(ask));
  item.id = `${sessionId}/${ask.id}`;
  if (ask.risk !== undefined) {
    item.description = ask.risk === 'high' ? t('High risk: {0}', told(ask.why ?? '')) : told(ask.why ?? '');
  }
  item.contextValue = ['ask', ask.kind, ...(ask.canAlwaysAllow ? ['rule'] : [])].join(' ');
  item.iconPath = icon(
    ask.kind === 'questions'
      ? { icon: 'question', color: 'charts.yellow' }
      : ask.kind === 'plan'
        ? { icon: 'list-ordered', color: 'charts.yellow' }
        : ask.risk === 'high'
          ? { icon: 'warning', color: 'charts.red' }
          : { icon: 'shield', color: 'charts.yellow' },
  );
  item.accessibilityInformation = {
    label: [
      t('Waits for your answer'),
      askLine(ask),
      ...(ask.risk === undefined ? [] : [t('risk {0}: {1}', told(ask.risk), told(ask.why ?? ''))]),
    ].join(', '),
  };
  item.command = { command: 'sandpiper.answerApproval', title: t('Answer Approval'), arguments: [{ sessionId, ask }] };
  return item;
}

/** @param archived of which part of the list there is more */
export function moreItem(archived: boolean): vscode.TreeItem {
  const item = new vscode.TreeItem(t('Show Older Sessions…'));
  item.id = `more:${archived}`;
  item.contextValue = 'more';
  item.iconPath = new vscode.ThemeIcon('ellipsis');
  item.command = { command: 'sandpiper.showOlderSessions', title: t('Show Older Sessions'), arguments: [{ archived }] };
  return item;
}

/** Titles come from prompts and commands from agents: they are put in as text, and nothing in it is a link. */
export function sessionTooltip(summary: SessionSummary, now: number): vscode.MarkdownString {
  const text = new vscode.MarkdownString('', true);
  text.appendMarkdown('**').appendText(summary.title.replaceAll('\n', ' ')).appendMarkdown('**\n\n');
  for (const { name, value } of sessionFacts(summary, now)) {
    text.appendMarkdown(`- ${name}: `).appendText(value.replaceAll('\n', ' ')).appendMarkdown('\n');
  }
  return text;
}

function lookOf(summary: SessionSummary): { icon: string; color?: string } {
  if (summary.phase === 'blocked') {
    return { icon: 'error', color: 'charts.red' };
  }
  return isRecoverable(summary) ? { icon: 'warning', color: 'charts.yellow' } : ICONS[groupOf(summary)];
}

function icon({ icon: name, color }: { icon: string; color?: string }): vscode.ThemeIcon {
  return new vscode.ThemeIcon(name, color === undefined ? undefined : new vscode.ThemeColor(color));
}
