import { checksOf, checkTitle } from '../../../protocol/specChecks.ts';
import type { SpecWork } from '../../../protocol/specWork.ts';
import { plain, type Style } from './render.ts';

/** Says how each check of the last round came out. */
export function printChecks({ document, round }: SpecWork, style: Style): void {
  for (const [index, { title }] of document.items.entries()) {
    process.stdout.write(`${style.bold(`${index + 1}. ${plain(title)}`)}\n`);
    for (const { key, check } of checksOf(document).filter(({ item }) => item === index)) {
      const result = round?.results[key];
      const mark =
        result === undefined
          ? style.dim('not run')
          : result.outcome === 'passed'
            ? style.green('passed ')
            : style.red('failed ');
      const detail = result === undefined ? '' : style.dim(`  ${plain(result.detail)}`);
      process.stdout.write(`   ${mark} ${check.kind} ${plain(checkTitle(check))}${detail}\n`);
    }
  }
}
