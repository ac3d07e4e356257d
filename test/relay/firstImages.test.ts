import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { findRelay } from '../../client/localRelay.ts';
import type { Image } from '../../protocol/images.ts';
import { newId } from '../../protocol/ids.ts';
import { isRecord } from '../../protocol/isRecord.ts';
import type { SessionState } from '../../protocol/session.ts';
import { noisePng } from '../support/noisePng.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;
const picture = (edge: number): Image => ({ mediaType: 'image/png', content: noisePng(edge).toString('base64') });
const imagesIn = ({ items }: SessionState) =>
  items.flatMap(item => (item.kind === 'message' ? (item.images ?? []) : []));

describe('images of the message that a session begins with', function () {
  this.timeout(240_000);
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(async () => {
    await shop.dispose();
  });

  const patience = { timeoutMs: 60_000 };
  const sessions = async () => (await shop.client.call('session.list', { limit: 500 })).sessions;
  /** What the model was shown last, of the whole conversation. */
  const shown = () => shop.model.requests().findLast(({ images }) => images.length > 0)?.images;

  it('reach the model as they are and are kept as blobs; the same key begins one session', async () => {
    shop.model.reset();
    const image = picture(150);
    const key = newId('key');
    const begin = (images: Image[]): Promise<string> => shop.begin([{ text: 'A lot of noise.' }], { key, images });
    const [sessionId, again] = await Promise.all([begin([image]), begin([image])]);
    assert.equal(again, sessionId);
    assert.equal(await begin([image]), sessionId);
    await assert.rejects(begin([picture(10)]), { code: 'key_reused' });
    const state = await shop.until(sessionId, 'one turn', idle(1));
    assert.deepEqual(shown(), [image.content]);
    const [stored, ...others] = imagesIn(state);
    assert.deepEqual([stored?.mediaType, others], ['image/png', []]);
    const blob = await shop.client.call('blob.read', { sessionId, hash: stored?.hash ?? '', maxBytes: 4_000_000 });
    assert.equal(blob.content, image.content);
    const events = JSON.stringify(await shop.events(sessionId));
    assert.ok(!events.includes(image.content.slice(0, 200)), 'the log has a reference only');
  });

  it('reach the model once, however often the relay is killed before the agent has them', async () => {
    shop.model.reset();
    const image = picture(60);
    const before = (await sessions()).length;
    const kill = async (): Promise<void> => {
      await shop.relay.stop('SIGKILL');
      await shop.relay.start();
    };
    const creating = shop.client.call(
      'session.create',
      { source: shop.repository, prompt: 'Look @@[{"text":"Seen."}]', images: [image] },
      patience,
    );
    creating.catch(() => undefined);
    await kill();
    const { sessionId } = await creating;
    const past = (steps: readonly string[]) => (state: SessionState) =>
      state.phase.kind !== 'preparing' || !steps.includes(state.phase.step);
    const points: [string, (state: SessionState) => boolean][] = [
      ['it is prepared', () => true],
      ['the sandbox is made', past(['mirror'])],
      ['the clone is made', past(['mirror', 'sandbox'])],
      ['the agent is started', past(['mirror', 'sandbox', 'clone'])],
      ['the agent runs', ({ agent }) => agent.running],
      ['the message is sent', ({ items }) => items.some(item => item.kind === 'message' && item.delivery !== 'queued')],
    ];
    for (const [what, fits] of points) {
      await shop.until(sessionId, what, fits, 30_000);
      await kill();
    }
    const state = await shop.until(sessionId, 'one turn', idle(1), 60_000);
    assert.equal(imagesIn(state).length, 1);
    assert.deepEqual(shown(), [image.content]);
    assert.equal((await sessions()).length, before + 1);
    const types = (await shop.events(sessionId)).map(({ body }) => body.type);
    for (const once of ['messageQueued', 'messageTaken', 'agentStarted']) {
      assert.equal(types.filter(type => type === once).length, 1, once);
    }
  });

  it('go with a branch that begins with a message, beside those of the conversation', async () => {
    shop.model.reset();
    const [first, second] = [picture(20), picture(30)];
    const sessionId = await shop.begin([{ text: 'One.' }], { images: [first] });
    await shop.until(sessionId, 'one turn', idle(1));
    const branch = { sessionId, turn: 1, key: newId('key'), images: [second] };
    await assert.rejects(shop.client.call('checkpoint.branch', branch), { code: 'invalid_params' });
    const begun = await shop.client.call('checkpoint.branch', { ...branch, prompt: 'And this @@[{"text":"Two."}]' });
    await shop.until(begun.sessionId, 'two turns', idle(2), 40_000);
    assert.deepEqual(shown(), [first.content, second.content]);
  });

  it('go with the message that begins the building of a spec', async () => {
    shop.model.reset();
    const image = picture(25);
    const { specId } = await shop.client.call('spec.create', {
      text: '# A page\n\n## It is there\n\n### Checks\n\n- command: `true`\n',
    });
    const sessionId = await shop.begin('', { spec: { specId }, images: [image] });
    const state = await shop.until(
      sessionId,
      'a turn',
      ({ turns }) => turns.some(({ checkpoint }) => checkpoint),
      60_000,
    );
    assert.equal(imagesIn(state).length, 1);
    assert.deepEqual(shown(), [image.content]);
  });

  it('are refused when they are none, too large or too many, before there is a session', async () => {
    const before = (await sessions()).length;
    const refused = async (images: unknown[], said: RegExp): Promise<void> => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a careless client sends
      const params = { images: images as Image[] };
      await assert.rejects(shop.begin('x', params), (error: { code?: string; message?: string }) => {
        assert.equal(error.code, 'invalid_params');
        assert.match(error.message ?? '', said);
        return true;
      });
    };
    const small = picture(10);
    await refused([{ ...small, mediaType: 'image/gif' }], /not what it says: image\/gif/);
    await refused([{ mediaType: 'image/svg+xml', content: 'PHN2Zy8+' }], /images/);
    await refused([{ mediaType: 'image/png', content: 'not base64!' }], /images/);
    await refused(Array(9).fill(small), /images/);
    await refused([picture(900)], /images/);
    await refused([picture(700), picture(700)], /3600000 characters/);
    assert.equal((await sessions()).length, before);
  });

  it('are taken over REST, and its document names them', async () => {
    shop.model.reset();
    const found = await findRelay(shop.dataFolder);
    const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
      fetch(`${found?.url}${path}`, {
        ...init,
        headers: {
          authorization: `Bearer ${found?.token}`,
          'content-type': 'application/json',
          'idempotency-key': newId('key'),
        },
      });
    const image = picture(650);
    const body = { source: shop.repository, prompt: 'Look @@[{"text":"Seen."}]', images: [image] };
    const created = await ask('/v1/sessions', { method: 'POST', body: JSON.stringify(body) });
    assert.equal(created.status, 201);
    const answer: unknown = await created.json();
    await shop.until(isRecord(answer) ? String(answer['sessionId']) : '', 'one turn', idle(1));
    // The agent itself makes one of this size smaller.
    assert.equal(shown()?.length, 1);
    const document = await (await ask('/v1/openapi.json')).text();
    assert.match(document, /"images":\{[^}]*They go with the first message/);
  });
});
