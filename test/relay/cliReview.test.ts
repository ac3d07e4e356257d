import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { Cli } from '../support/cliProcess.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;

describe('a review on the command line', function () {
  this.timeout(120_000);
  let shop: Workshop;
  let cli: Cli;
  before(async () => {
    shop = await openWorkshop();
    // The commands join the relay of the workshop, which ends it.
    cli = new Cli(shop.dataFolder);
  });
  after(() => shop.dispose());

  it('comments on lines, submits, and lists what the agent says', async () => {
    const id = await shop.begin([{ tool: 'Bash', input: { command: 'printf "a\\nb\\n" > new.txt' } }, { text: 'ok' }]);
    await shop.until(id, 'the turn', idle(1));
    const wrong = await cli.run(['review', 'comment', id, 'new.txt', 'x']);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /Write it as src\/a\.ts:3/);
    const script = JSON.stringify([{ text: '```review\nC1: declined - it is fine\n```' }]);
    const written = await cli.run(['review', 'comment', id.slice(-8), 'new.txt:2', `Why b? @@${script}`]);
    assert.match(written.stdout, /^cmt_\w{26}\n$/, written.stderr);
    const submitted = await cli.run(['review', 'submit', id.slice(-8), 'Please look.']);
    assert.equal(submitted.stdout, 'submitted: 1 comment, 0 rejections, 0 edits\n', submitted.stderr);
    await shop.until(id, 'the answer', idle(2));
    const listed = await cli.run(['review', 'comments', id]);
    assert.match(listed.stdout, /^C1 {3}declined {3}new\.txt:2 {2}Why b\? .*\n {4}it is fine\n$/);
  });
});
