import { cleanUp, say, style } from './demo/stage.ts';
import { describeMissing, setUp } from './setup.ts';

/*
 * The whole line, every part real but the model's words and GitHub. `--issue`: from an issue to its merged pull request.
 * `--real` uses the real model, `--keep` leaves everything up, `--editor` shows it in VS Code.
 */

const options = {
  issue: process.argv.includes('--issue'),
  real: process.argv.includes('--real'),
  keep: process.argv.includes('--keep'),
  editor: process.argv.includes('--editor'),
};

try {
  await demo();
} catch (error) {
  console.error(style.red(`demo: failed — ${error instanceof Error ? error.message : String(error)}`));
  process.exitCode = 1;
} finally {
  await cleanUp();
}

async function demo(): Promise<void> {
  const { missing } = await setUp(
    ['sqlite', 'bubblewrap', ...(options.keep || options.editor ? (['bundles'] as const) : [])],
    line => say(line),
  );
  for (const miss of missing) {
    say(style.yellow(describeMissing(miss)));
  }
  const realKey = options.real ? process.env['ANTHROPIC_API_KEY'] : undefined;
  if (options.real && !realKey) {
    throw new Error('--real needs ANTHROPIC_API_KEY to be set.');
  }
  if (options.issue) {
    const { issueDemo } = await import('./demo/issueDemo.ts');
    await issueDemo({ realKey, keep: options.keep || options.editor, editor: options.editor });
  } else {
    const { fixDemo } = await import('./demo/fixDemo.ts');
    await fixDemo({ realKey, keep: options.keep || options.editor, editor: options.editor });
  }
}
