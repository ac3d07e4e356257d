import * as vscode from 'vscode';
import type { ApplyRecord } from '../../../landing/applyRecord.ts';
import { REASONS } from '../../../landing/decide.ts';
import type { LandingBundle } from '../../../landing/fetchLanding.ts';
import type { ApplyPlan } from '../../../landing/planApply.ts';
import type { SandpiperError } from '../../../protocol/errors.ts';
import { count } from '../sessions/sessionGroups.ts';

const SHOWN = 10;

/** Whether to apply what can be merged although some cannot. */
export async function askConflicts({ files, edits, conflicts }: ApplyPlan): Promise<boolean> {
  const merged = files.length + edits.length;
  const go = merged === 0 ? 'Resolve Conflicts' : 'Apply the Others';
  const listed = conflicts.slice(0, SHOWN).map(({ path, reason }) => `${path}: ${REASONS[reason]}`);
  const more = conflicts.length > SHOWN ? [`and ${conflicts.length - SHOWN} more`] : [];
  const chosen = await vscode.window.showWarningMessage(
    `${count(conflicts.length, 'file')} cannot be merged with your own changes. ${merged === 0 ? 'No other file changes.' : `${count(merged, 'other file')} can.`}`,
    { modal: true, detail: [...listed, ...more, '', 'These files stay as they are until you decide.'].join('\n') },
    go,
  );
  return chosen === go;
}

/**
 * What to do with files that can run code here and that nobody accepted: a branch has all or nothing of them.
 * @returns those to leave out; undefined when nothing is to be done at all
 */
export async function askSensitive(
  files: LandingBundle['sensitive'],
  doing: 'apply' | 'checkOut',
): Promise<LandingBundle['sensitive'] | undefined> {
  if (files.length === 0) {
    return [];
  }
  const leave = 'Leave Them Out';
  const take = doing === 'apply' ? 'Apply All the Same' : 'Check Out All the Same';
  const listed = files.slice(0, SHOWN).map(({ path, reason }) => `${path}: ${reason}`);
  const chosen = await vscode.window.showWarningMessage(
    `${count(files.length, 'file')} that can run code on this machine ${files.length === 1 ? 'was' : 'were'} not accepted.`,
    {
      modal: true,
      detail: [...listed, ...(files.length > SHOWN ? [`and ${files.length - SHOWN} more`] : [])].join('\n'),
    },
    ...(doing === 'apply' ? [leave] : []),
    take,
  );
  return chosen === leave ? files : chosen === take ? [] : undefined;
}

/** What to do about an apply that a crash cut off. */
export async function askCutOff({ title }: ApplyRecord): Promise<'finish' | 'undo' | undefined> {
  const finish = 'Finish It';
  const undo = 'Undo It';
  const chosen = await vscode.window.showWarningMessage(
    `Applying "${title}" to these files was cut off in the middle.`,
    { modal: true, detail: 'Every file is either as it was or as it was to be.' },
    finish,
    undo,
  );
  return chosen === finish ? 'finish' : chosen === undo ? 'undo' : undefined;
}

/** Whether to undo the rest, where some was changed since. @throws the error when it is about something else */
export async function askOthers(error: SandpiperError): Promise<boolean> {
  if (error.code !== 'conflict' || !Array.isArray(error.details?.['changed'])) {
    throw error;
  }
  const others = 'Undo the Others';
  const chosen = await vscode.window.showWarningMessage(
    'You changed files since they were applied.',
    { modal: true, detail: error.message },
    others,
  );
  return chosen === others;
}

/** How to go on beside uncommitted changes. @throws the error when it is about something else */
export async function askAboutUncommitted(error: SandpiperError): Promise<'carry' | 'only' | undefined> {
  const { uncommitted, files } = error.details ?? {};
  if (error.code !== 'conflict' || !(Array.isArray(uncommitted) || Array.isArray(files))) {
    throw error;
  }
  const carry = 'Take Them Along';
  const only = 'Make the Branch Only';
  const chosen = await vscode.window.showWarningMessage(
    'You have uncommitted changes.',
    { modal: true, detail: `${error.message} Nothing is overwritten in any case.` },
    carry,
    only,
  );
  return chosen === carry ? 'carry' : chosen === only ? 'only' : undefined;
}
