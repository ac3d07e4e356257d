import { SandpiperError } from '../../../protocol/errors.ts';
import type { Colleague, Place } from './colleague.ts';

/** One for all kinds of forges: everything is asked of the one that the repository is on. */
export function colleagueOf(byForge: Readonly<Record<string, Colleague>>): Colleague {
  const at = ({ repository: { forge } }: Place): Colleague => {
    const found = byForge[forge];
    if (!found) {
      throw new SandpiperError('no_forge', `This relay talks to nobody at ${forge}.`);
    }
    return found;
  };
  return {
    mayWrite: async (place, login) => at(place).mayWrite(place, login),
    react: async (place, target, reaction) => at(place).react(place, target, reaction),
    say: async (place, comment) => at(place).say(place, comment),
    answer: async (place, reply) => at(place).answer(place, reply),
    readPullRequest: async (place, number) => at(place).readPullRequest(place, number),
    listReviews: async (place, number) => at(place).listReviews(place, number),
    listReviewComments: async (place, number, reviewId) => at(place).listReviewComments(place, number, reviewId),
    listComments: async (place, on) => at(place).listComments(place, on),
    failedChecks: async (place, commit) => at(place).failedChecks(place, commit),
  };
}
