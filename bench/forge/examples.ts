import { createRequire } from 'node:module';
import { z } from 'zod';
import type { GithubEvent } from '../../test/support/github/githubHooks.ts';
import { READER, type OpenedGithub } from './githubProcess.ts';

const examplesSchema = z.array(z.object({ name: z.string(), examples: z.array(z.record(z.string(), z.unknown())) }));

/** Every example of a webhook that GitHub publishes. */
export function readExamples(): GithubEvent[] {
  return examplesSchema
    .parse(createRequire(import.meta.url)('@octokit/webhooks-examples'))
    .flatMap(({ name, examples }) => examples.map(payload => ({ event: name, payload })));
}

/**
 * Webhooks that keep the relay busy and begin nothing: somebody who may only read labels one issue after the other, made
 * of the example that GitHub publishes. Of each the relay asks GitHub who may write.
 */
export function readersLabels(examples: readonly GithubEvent[], { page, repository }: OpenedGithub): () => GithubEvent {
  const example = examples.find(
    ({ event, payload }) => event === 'issues' && 'action' in payload && payload.action === 'labeled',
  );
  const { issue, ...payload } = z.looseObject({ issue: z.looseObject({}) }).parse(example?.payload);
  let number = 0;
  return () => ({
    event: 'issues',
    payload: {
      ...payload,
      issue: { ...issue, number: ++number },
      label: { name: 'sandpiper' },
      repository: { full_name: repository.replace(/^[^/]+\//, ''), html_url: page },
      sender: { login: READER, type: 'User' },
    },
  });
}
