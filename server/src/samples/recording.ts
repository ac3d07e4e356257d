import { z } from 'zod';
import { commitSchema, eventBodySchema, type EventBody } from '../../../protocol/events.ts';
import cart from './cart.json' with { type: 'json' };

/*
 * The session that ships with the relay. scripts/recordSample.ts writes the file: the log of a real session, with its commits
 * by name and its times from its beginning.
 */

const filesSchema = z.record(z.string(), z.string());

const recordingSchema = z.object({
  name: z.string(),
  title: z.string(),
  message: z.string().describe('Of the commit that the session started from'),
  base: z.object({ commit: commitSchema, files: filesSchema }),
  turns: z.array(filesSchema).describe('What is not as in the base when a turn ends'),
  events: z.array(z.object({ afterMs: z.int().nonnegative(), body: z.looseObject({ type: z.string() }) })).min(1),
});
export type Recording = z.infer<typeof recordingSchema>;

export function readRecording(): Recording {
  return recordingSchema.parse(cart);
}

/** The events of a recording, with the commits that its turns have here. */
export function placedEvents(
  { base, events }: Pick<Recording, 'base' | 'events'>,
  checkpoints: readonly string[],
): { afterMs: number; body: EventBody }[] {
  const commits = new Map([
    ['{base}', base.commit],
    ...checkpoints.map((commit, index) => [`{turn:${index + 1}}`, commit] as const),
  ]);
  return events.map(({ afterMs, body }) => ({ afterMs, body: eventBodySchema.parse(withCommits(body, commits)) }));
}

/** Commits stand at the top of an event; what a person or an agent wrote is never looked at. */
function withCommits(body: object, commits: ReadonlyMap<unknown, string>): object {
  return Object.fromEntries(
    Object.entries(body).map(([name, value]: [string, unknown]) => [name, commits.get(value) ?? value]),
  );
}
