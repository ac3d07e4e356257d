import type { CallHandlers, CheckedParams } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { EventBody } from '../../../protocol/events.ts';
import { newId } from '../../../protocol/ids.ts';
import type { SessionState } from '../../../protocol/session.ts';
import type { SpecDocument } from '../../../protocol/specCalls.ts';
import type { SpecBudget } from '../../../protocol/specEvents.ts';
import { noSpec, titleOfText } from '../../../protocol/specs.ts';
import { readSpec } from '../../../protocol/specText.ts';
import { openWork, sessionsOfSpec } from '../../../protocol/specWork.ts';
import type { Spec } from '../../../protocol/spec.ts';
import type { CallContext } from '../core/callContext.ts';
import { EXTRACT_MESSAGE } from '../specs/extractSpec.ts';
import { firstMessage } from '../specs/specMessages.ts';
import type { SpecRow, Store } from '../store/store.ts';
import type { Dependencies } from './dependencies.ts';
import type { Idempotency } from './idempotency.ts';
import { queueMessage } from './personDrafts.ts';
import type { Sessions } from './sessions.ts';
import { documentOf, tellSpec } from './tellSpec.ts';

type SpecHandlers = Pick<
  CallHandlers<CallContext>,
  | 'spec.list'
  | 'spec.get'
  | 'spec.revisions'
  | 'spec.create'
  | 'spec.save'
  | 'spec.remove'
  | 'spec.build'
  | 'spec.check'
  | 'spec.extract'
>;

const by = 'owner';

/** The calls about specs: documents beside the sessions, and what is done with them in one. */
export function specHandlers(dependencies: Dependencies, sessions: Sessions, idempotency: Idempotency): SpecHandlers {
  const { store } = dependencies;
  return {
    ...readingHandlers(dependencies),
    'spec.create': params =>
      idempotency.once('spec.create', params, async record => {
        await dependencies.requireRoom();
        return writeRevision(dependencies, { specId: newId('spc'), text: params.text }, undefined, record);
      }),
    'spec.save': params =>
      idempotency.once('spec.save', params, async record => {
        const { specId, expectedRevision, text } = params;
        await dependencies.requireRoom();
        const newest = await newestOf(store, specId);
        if (newest.revision === expectedRevision && newest.text === text) {
          const same = documentOf(newest);
          await store.recordCall(record(same));
          return same;
        }
        return writeRevision(dependencies, { specId, text }, { ...newest, revision: expectedRevision }, record);
      }),
    'spec.remove': params =>
      idempotency.once('spec.remove', params, async record => {
        await store.removeSpec({ specId: params.specId, removed: params.removed, call: record({}) });
        await tellSpec(dependencies, params.specId);
        return {};
      }),
    'spec.build': params =>
      idempotency.once('spec.build', params, async record => {
        const session = await sessions.get(params.sessionId);
        await dependencies.requireRoom(params.sessionId);
        const found = await usableSpec(store, params);
        const messageId = newId('msg');
        const seq = await session.perform((_agent, state) => {
          refuseSecond(state);
          const { events } = queueMessage(state, { messageId, text: firstMessage(found.spec), by });
          const started = workStarted(found, { kind: 'build', budget: params.budget, messageId });
          return { events: [started, ...events], call: last => record({ messageId, seq: last }) };
        });
        return { messageId, seq };
      }),
    'spec.extract': params =>
      idempotency.once('spec.extract', params, async record => {
        const session = await sessions.get(params.sessionId);
        await dependencies.requireRoom(params.sessionId);
        const messageId = newId('msg');
        const seq = await session.perform((_agent, state) => {
          if (state.extracting) {
            throw new SandpiperError('conflict', 'A spec is being written in this session already.', {
              hint: 'Wait until it is there.',
            });
          }
          const { events } = queueMessage(state, { messageId, text: EXTRACT_MESSAGE, by });
          return {
            events: [...events, { type: 'specExtractAsked', messageId, by }],
            call: last => record({ messageId, seq: last }),
          };
        });
        return { messageId, seq };
      }),
    'spec.check': params =>
      idempotency.once('spec.check', params, async record => {
        const session = await sessions.get(params.sessionId);
        const found = await usableSpec(store, params);
        const seq = await session.perform((_agent, state) => {
          refuseSecond(state);
          return {
            events: [
              ...(state.phase.kind === 'blocked' ? [{ type: 'sessionResumed', by } as const] : []),
              workStarted(found, { kind: 'check' }),
            ],
            call: last => record({ seq: last }),
          };
        });
        return { seq };
      }),
  };
}

function readingHandlers({ store }: Dependencies): Pick<SpecHandlers, 'spec.list' | 'spec.get' | 'spec.revisions'> {
  return {
    'spec.list': async ({ removed }) => ({ specs: (await store.listSpecs({ removed })).map(documentOf) }),
    'spec.get': async ({ specId, revision }) => {
      const row = await store.readSpec(specId, revision);
      if (!row) {
        throw noSpec(specId, revision);
      }
      const { spec } = readSpec(row.text);
      const newest = revision === undefined ? row.revision : (await newestOf(store, specId)).revision;
      const rows = await Promise.all([false, true].map(archived => store.listSessions({ archived, limit: -1 })));
      const used = sessionsOfSpec(
        specId,
        rows.flat().map(({ summary }) => summary),
      );
      return {
        ...documentOf(row),
        text: row.text,
        ...(spec ? { document: spec } : {}),
        newest,
        sessions: used.flatMap(({ id, title, spec: use }) =>
          use
            ? [
                {
                  sessionId: id,
                  title,
                  revision: use.revision,
                  ...(use.outcome === undefined ? {} : { outcome: use.outcome }),
                  passed: use.items.passed,
                  items: use.items.of,
                },
              ]
            : [],
        ),
      };
    },
    'spec.revisions': async ({ specId }) => {
      const revisions = await store.listRevisions(specId);
      if (revisions.length === 0) {
        throw noSpec(specId);
      }
      return { revisions };
    },
  };
}

async function writeRevision(
  dependencies: Dependencies,
  { specId, text }: { specId: string; text: string },
  before: Pick<SpecRow, 'revision' | 'createdAt' | 'removed'> | undefined,
  record: Parameters<Parameters<Idempotency['once']>[2]>[0],
): Promise<SpecDocument> {
  const at = Date.now();
  const row: SpecRow = {
    specId,
    revision: (before?.revision ?? 0) + 1,
    title: titleOfText(text),
    text,
    at,
    createdAt: before?.createdAt ?? at,
    removed: before?.removed ?? false,
  };
  const document = documentOf(row);
  await dependencies.store.writeSpec({ ...row, expectedRevision: row.revision - 1, call: record(document) });
  await tellSpec(dependencies, specId);
  return document;
}

async function newestOf(store: Store, specId: string): Promise<SpecRow> {
  const row = await store.readSpec(specId);
  if (!row) {
    throw noSpec(specId);
  }
  return row;
}

export interface UsableSpec {
  row: SpecRow;
  spec: Spec;
}

/** The spec to work with. @throws `not_found`, `invalid_params` when its text cannot be read as a spec */
export async function usableSpec(
  store: Store,
  { specId, revision }: Pick<CheckedParams<'spec.check'>, 'specId' | 'revision'>,
): Promise<UsableSpec> {
  const row = await store.readSpec(specId, revision);
  if (!row) {
    throw noSpec(specId, revision);
  }
  const { spec, problems } = readSpec(row.text);
  if (!spec) {
    const [{ line, message }] = problems;
    throw new SandpiperError('invalid_params', `“${row.title}” cannot be used yet. Line ${line}: ${message}`, {
      hint: 'Edit the spec, then try again.',
      details: { problems },
    });
  }
  return { row, spec };
}

/** The first event of a build or of a check. */
export function workStarted(
  { row, spec }: UsableSpec,
  work: { kind: 'check' } | { kind: 'build'; budget: SpecBudget; messageId: string },
): EventBody {
  const { specId, revision, title } = row;
  return { type: 'specWorkStarted', ...work, spec: { specId, revision, title }, document: spec, by };
}

function refuseSecond(state: SessionState): void {
  if (state.archived) {
    throw new SandpiperError('conflict', 'This session is archived.', {
      hint: 'Bring it back before you build or check a spec in it.',
    });
  }
  const work = openWork(state);
  if (work) {
    throw new SandpiperError(
      'conflict',
      `“${work.spec.title}” is being ${work.kind === 'build' ? 'built' : 'checked'} here.`,
      {
        hint: 'Wait until it is done, or stop it first.',
      },
    );
  }
}
