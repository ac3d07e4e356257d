import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { command, specText } from '../support/specs.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const TEXT = specText('Talked about', { One: [command('true')] });
const block = (text: string) => `Here it is.\n\n\`\`\`\`\`\`spec\n${text}\`\`\`\`\`\`\n`;
const notices = (state: SessionState) => state.items.flatMap(item => (item.kind === 'notice' ? [item.text] : []));

describe('a spec that comes out of a chat', function () {
  this.timeout(120_000);
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(async () => {
    await shop.dispose();
  });

  /** A chat whose agent answers the request for a spec like this. */
  async function talk(answer: string): Promise<string> {
    const id = await shop.begin([{ text: 'What do you want?' }, { text: answer }]);
    await shop.until(id, 'the talk', ({ turns, phase }) => turns.length === 1 && phase.kind === 'idle', 60_000);
    return id;
  }
  const extracted = (state: SessionState) =>
    state.turns.length === 2 && state.phase.kind === 'idle' && !state.extracting;
  const named = async (title: string) =>
    (await shop.client.call('spec.list', {})).specs.filter(spec => spec.title === title);

  it('is kept once, though the relay is killed while it is written', async () => {
    const id = await talk(block(TEXT));
    await shop.client.call('spec.extract', { sessionId: id });
    await shop.until(id, 'the answer', ({ turns }) => turns[1]?.agent !== undefined, 60_000);
    await shop.relay.stop('SIGKILL');
    await shop.relay.start();
    const state = await shop.until(id, 'the spec', extracted, 60_000);
    const [spec, ...others] = await named('Talked about');
    assert.equal(others.length, 0);
    assert.deepEqual([spec?.specId, spec?.revision, spec?.problems], [state.extracted?.specId, 1, []]);
    assert.equal((await shop.client.call('spec.get', { specId: spec?.specId ?? '' })).text, TEXT);
    assert.ok(notices(state).some(text => text.includes('“Talked about” was written')));
  });

  it('is refused with its line when it is none, and nothing is lost', async () => {
    const id = await talk(block('# Wrong\n\n## Item\n\n### Checks\n\n- command: npm test\n'));
    await shop.client.call('spec.extract', { sessionId: id });
    const state = await shop.until(id, 'the refusal', extracted, 60_000);
    assert.equal(state.extracted, undefined);
    assert.deepEqual(await named('Wrong'), []);
    assert.ok(
      notices(state).some(text => /no spec\. Line 7: A command is written/.test(text)),
      JSON.stringify(notices(state)),
    );
    assert.ok(
      state.items.some(item => item.kind === 'text' && item.text.text.includes('# Wrong')),
      'the answer is in the chat',
    );
    const next = [{ text: block(TEXT.replace('Talked about', 'Second try')) }];
    await shop.send(id, [{ text: 'Sorry.' }, ...next]);
    await shop.until(id, 'the apology', ({ turns, phase }) => turns.length === 3 && phase.kind === 'idle', 60_000);
    await shop.client.call('spec.extract', { sessionId: id });
    await shop.until(id, 'the spec', ({ extracted: spec }) => spec?.title === 'Second try', 60_000);
  });

  it('says when the answer has none', async () => {
    const id = await talk('I would rather not.');
    await shop.client.call('spec.extract', { sessionId: id });
    const state = await shop.until(id, 'the refusal', extracted, 60_000);
    assert.ok(notices(state).some(text => text.includes('has no spec in it')));
  });
});
