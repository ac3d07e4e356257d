import type { DeepCheckResult } from '../core/dataFolderTools.ts';
import { EXIT } from './exitCodes.ts';
import type { ProgramOptions } from './command.ts';
import { createStyle, plain } from './render.ts';
import { stepLine } from './stepLine.ts';

/** `doctor --deep`: works on the folder itself, so also where no relay starts any more. */
export async function deepDoctor(
  { config, tools }: ProgramOptions,
  flags: { repair: boolean; json: boolean },
): Promise<number> {
  const line = stepLine('Checking');
  let result: DeepCheckResult;
  try {
    result = await tools.checkDeeply({
      dataFolder: config.dataFolder,
      repair: flags.repair,
      onProgress: step => line.show(step),
    });
  } finally {
    line.dispose();
  }
  return printDeepCheck(result, flags.json ? 'json' : 'text');
}

/** @returns the exit code: failed when an error is left */
export function printDeepCheck({ counts, findings }: DeepCheckResult, how: 'json' | 'text' | 'nothing'): number {
  const left = findings.filter(finding => finding.level === 'error' && finding.repaired !== true);
  if (how === 'json') {
    process.stdout.write(`${JSON.stringify({ ok: left.length === 0, counts, findings })}\n`);
  } else if (how === 'text') {
    const style = createStyle(process.stdout.isTTY);
    const marks = { error: style.red('failed '), warning: style.yellow('warning') };
    for (const { level, part, sessionId, text, hint, repaired } of findings) {
      const where = sessionId === undefined ? part : `${part} of ${sessionId}`;
      const mark = repaired === true ? style.green('mended ') : marks[level];
      process.stdout.write(`${mark} ${where}: ${plain(text)}${repaired === true ? '' : `\n        ${plain(hint)}`}\n`);
    }
    const { sessions, events, blobs, mirrors, commits } = counts;
    const verdict = left.length === 0 ? style.green('ok     ') : style.red('failed ');
    process.stdout.write(
      `${verdict} looked at ${sessions} sessions, ${events} events, ${blobs} blobs, ${mirrors} mirrors, ${commits} commits\n`,
    );
  }
  return left.length === 0 ? EXIT.ok : EXIT.failed;
}
