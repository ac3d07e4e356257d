import * as vscode from 'vscode';
import type { ApplyRecord } from '../../../landing/applyRecord.ts';
import { REASONS } from '../../../landing/decide.ts';
import type { LandingBundle } from '../../../landing/fetchLanding.ts';
import type { ApplyPlan } from '../../../landing/planApply.ts';
import type { SandpiperError } from '../../../protocol/errors.ts';
import { count, t, told } from '../../../protocol/text.ts';

const SHOWN = 10;

/** Whether to apply what can be merged although some cannot. */
export async function askConflicts({ files, edits, conflicts }: ApplyPlan): Promise<boolean> {
  const merged = files.length + edits.length;
  const go = merged === 0 ? t('Resolve Conflicts') : t('Apply the Others');
  const listed = conflicts.slice(0, SHOWN).map(({ path, reason }) => `${path}: ${REASONS[reason]}`);
  const more = conflicts.length > SHOWN ? [t('and {0} more', conflicts.length - SHOWN)] : [];
  const chosen = await vscode.window.showWarningMessage(
    t(
      '{0} cannot be merged with your own changes. {1}',
      count(conflicts.length, 'file'),
      merged === 0 ? t('No other file changes.') : t('{0} can.', count(merged, 'other file')),
    ),
    { modal: true, detail: [...listed, ...more, '', t('These files stay as they are until you decide.')].join('\n') },
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
  const leave = t('Leave Them Out');
  const take = doing === 'apply' ? t('Apply All the Same') : t('Check Out All the Same');
  const listed = files.slice(0, SHOWN).map(({ path, reason }) => `${path}: ${told(reason)}`);
  const chosen = await vscode.window.showWarningMessage(
    files.length === 1
      ? t('{0} file that can run code on this machine was not accepted.', files.length)
      : t('{0} files that can run code on this machine were not accepted.', files.length),
    {
      modal: true,
      detail: [...listed, ...(files.length > SHOWN ? [t('and {0} more', files.length - SHOWN)] : [])].join('\n'),
    },
    ...(doing === 'apply' ? [leave] : []),
    take,
  );
  return chosen === leave ? files : chosen === take ? [] : undefined;
}

/** What to do about an apply that a crash cut off. */
export async function askCutOff({ title }: ApplyRecord): Promise<'finish' | 'undo' | undefined> {
  const finish = t('Finish It');
  const undo = t('Undo It');
  const chosen = await vscode.window.showWarningMessage(
    t('Applying "{0}" to these files was cut off in the middle.', title),
    { modal: true, detail: t('Every file is either as it was or as it was to be.') },
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
  const others = t('Undo the Others');
  const chosen = await vscode.window.showWarningMessage(
    t('You changed files since they were applied.'),
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
  const carry = t('Take Them Along');
  const only = t('Make the Branch Only');
  const chosen = await vscode.window.showWarningMessage(
    t('You have uncommitted changes.'),
    { modal: true, detail: t('{0} Nothing is overwritten in any case.', error.message) },
    carry,
    only,
  );
  return chosen === carry ? 'carry' : chosen === only ? 'only' : undefined;
}
