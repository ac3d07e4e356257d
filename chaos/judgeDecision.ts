import type { Contents } from './commitFiles.ts';
import { movesTowards, sameLines } from './lines.ts';
import type { DeedCall } from './typedCall.ts';
import { EFFECTS_FILES } from './work.ts';

/** The files in the two trees of a review. */
export interface Sides {
  accepted: Contents;
  proposed: Contents;
}

type CallOf<Name extends DeedCall['call']> = Extract<DeedCall, { call: Name }>;

/**
 * What is wrong with what a decision made of the two trees: sentences that go on from "A decision". Pure.
 * @param agents the agent's files at that moment
 */
export function judgeDecision(typed: DeedCall, was: Sides, is: Sides, agents: Contents): string[] {
  switch (typed.call) {
    case 'review.decide':
      return judgeChoice(typed, was, is);
    case 'review.edit': {
      const { path, content } = typed.params;
      const lines = Buffer.from(content ?? '', 'base64')
        .toString()
        .split('\n')
        .slice(0, -1);
      return judgeWritten(path, lines, was, is);
    }
    case 'review.resolve': {
      const { path, take } = typed.params;
      return judgeWritten(path, linesIn(take === 'ours' ? was.proposed : agents, path), was, is);
    }
    case 'changes.acceptAll':
      return same(is.accepted, was.proposed) && same(is.proposed, was.proposed) ? [] : ['did not take all'];
    default:
      return [];
  }
}

/** Accepting makes the accepted tree like the proposed one, rejecting the other way round: in one file, and in it alone. */
function judgeChoice({ params }: CallOf<'review.decide'>, was: Sides, is: Sides): string[] {
  const [side, other] =
    params.verdict === 'accept' ? (['accepted', 'proposed'] as const) : (['proposed', 'accepted'] as const);
  const { path = '', hunks } = params.files[0] ?? {};
  const [before, after, like] = [was[side], is[side], was[other]].map(files => linesIn(files, path));
  const wrong: string[] = [];
  if (!same(is[other], was[other]) || !same(was[side], is[side], path)) {
    wrong.push('changed the other tree, or another file');
  }
  if (!before || !after || !like || (!hunks && !sameLines(after, like))) {
    wrong.push(`did not take all of ${path}`);
  } else if (hunks && (sameLines(before, after) || !movesTowards(before, after, like))) {
    wrong.push(`took nothing or something else of ${path}`);
  }
  return wrong;
}

function judgeWritten(path: string, lines: readonly string[], was: Sides, is: Sides): string[] {
  return [
    ...(sameLines(linesIn(is.proposed, path), lines) ? [] : [`did not write what was to be in ${path}`]),
    ...(same(is.proposed, was.proposed, path) && same(is.accepted, was.accepted) ? [] : ['changed something else']),
  ];
}

function same(one: Contents, other: Contents, but?: string): boolean {
  return EFFECTS_FILES.every(path => path === but || sameLines(linesIn(one, path), linesIn(other, path)));
}

function linesIn(files: Contents, path: string): readonly string[] {
  return files[path] ?? [];
}
