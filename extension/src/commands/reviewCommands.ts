import * as vscode from 'vscode';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { ChangesTree } from '../review/changesTree.ts';
import type { Review } from '../review/review.ts';
import { askReason } from '../review/decisionQuestions.ts';
import type { ReviewDecisions, Verdict } from '../review/reviewDecisions.ts';
import type { Direction, ReviewNavigation } from '../review/reviewNavigation.ts';
import { readTarget } from '../review/reviewTarget.ts';
import type { ReviewTarget } from '../review/reviewTarget.ts';
import type { CommandHandlers } from './registerCommands.ts';
import { t } from '../../../protocol/text.ts';

export interface ReviewCommandDependencies {
  review: Review;
  decisions: ReviewDecisions;
  navigation: ReviewNavigation;
  tree: ChangesTree;
}

type ReviewCommands = Pick<
  CommandHandlers,
  | 'sandpiper.acceptHunk'
  | 'sandpiper.rejectHunk'
  | 'sandpiper.rejectWithReason'
  | 'sandpiper.acceptFile'
  | 'sandpiper.rejectFile'
  | 'sandpiper.rejectAllChanges'
  | 'sandpiper.undoDecision'
  | 'sandpiper.nextHunk'
  | 'sandpiper.previousHunk'
  | 'sandpiper.keepMine'
  | 'sandpiper.takeTheirs'
  | 'sandpiper.compareConflict'
  | 'sandpiper.openFileChanges'
  | 'sandpiper.showChangesByFile'
  | 'sandpiper.showChangesByTurn'
  | 'sandpiper.showChangesByTool'
>;

/**
 * The commands of a review. Each takes what a lens or a row of the tree names, else what the cursor is in: all works
 * without a mouse and with lenses switched off.
 */
export function createReviewCommands({
  review,
  decisions,
  navigation,
  tree,
}: ReviewCommandDependencies): ReviewCommands {
  const decideHunk = async (verdict: Verdict, argument: unknown): Promise<void> => {
    const target = readTarget(argument) ?? (await hunkAtCursor(navigation, tree));
    if (target) {
      await decisions.decide(verdict, target);
    }
  };
  const decideFile = async (verdict: Verdict, argument: unknown): Promise<void> => {
    const { sessionId, path } = await fileOf(navigation, argument);
    await decisions.decide(verdict, { sessionId, path });
  };
  const go = (direction: Direction): Promise<void> => navigation.go(sessionInSight(tree), direction);
  return {
    'sandpiper.acceptHunk': argument => decideHunk('accept', argument),
    'sandpiper.rejectHunk': argument => decideHunk('reject', argument),
    'sandpiper.rejectWithReason': async argument => {
      const target = readTarget(argument) ?? (await hunkAtCursor(navigation, tree));
      const reason = target && (await askReason(target.path));
      if (target && reason !== undefined) {
        await decisions.decide('reject', target, reason === '' ? undefined : reason);
      }
    },
    'sandpiper.acceptFile': argument => decideFile('accept', argument),
    'sandpiper.rejectFile': argument => decideFile('reject', argument),
    'sandpiper.rejectAllChanges': argument => decisions.rejectAll(readSession(argument) ?? sessionInSight(tree)),
    'sandpiper.undoDecision': argument => decisions.undo(readSession(argument) ?? sessionInSight(tree)),
    'sandpiper.nextHunk': () => go('next'),
    'sandpiper.previousHunk': () => go('previous'),
    'sandpiper.keepMine': async argument => decisions.resolve(await fileOf(navigation, argument), 'ours'),
    'sandpiper.takeTheirs': async argument => decisions.resolve(await fileOf(navigation, argument), 'theirs'),
    'sandpiper.compareConflict': async argument => decisions.compareConflict(await fileOf(navigation, argument)),
    'sandpiper.openFileChanges': async argument => {
      const { sessionId, path } = await fileOf(navigation, argument);
      await review.openFile(sessionId, path);
    },
    'sandpiper.showChangesByFile': () => tree.groupBy('file'),
    'sandpiper.showChangesByTurn': () => tree.groupBy('turn'),
    'sandpiper.showChangesByTool': () => tree.groupBy('tool'),
  };
}

/** Beside every change nothing is decided: the cursor goes to the next one, which can be looked at first. */
async function hunkAtCursor(navigation: ReviewNavigation, tree: ChangesTree): Promise<ReviewTarget | undefined> {
  const cursor = await navigation.cursor();
  if (cursor?.target) {
    return cursor.target;
  }
  await navigation.go(sessionInSight(tree), 'next');
  vscode.window.setStatusBarMessage(t('Sandpiper: no pending change was at the cursor; this is the next'), 5000);
  return undefined;
}

async function fileOf(navigation: ReviewNavigation, argument: unknown): Promise<ReviewTarget> {
  const target = readTarget(argument);
  if (target) {
    return target;
  }
  const cursor = await navigation.cursor();
  if (!cursor) {
    throw new SandpiperError('not_found', t('The cursor is in no file of a review.'), {
      hint: t('Put it into a file of "Sandpiper: Open Changes", or use the Changes view.'),
    });
  }
  return { sessionId: cursor.sessionId, path: cursor.path };
}

/** A review that is open, else the one that the Changes view lists. */
function sessionInSight(tree: ChangesTree): string {
  const sessionId = tree.sessionInSight();
  if (sessionId === undefined) {
    throw new SandpiperError('not_found', t('No review is open in this editor.'), {
      hint: t('Open one with "Sandpiper: Open Changes".'),
    });
  }
  return sessionId;
}

/** The session that a row or a title button names. */
function readSession(argument: unknown): string | undefined {
  const named =
    typeof argument === 'object' && argument !== null && 'sessionId' in argument ? argument.sessionId : argument;
  return readTarget({ sessionId: named, path: '' })?.sessionId;
}
