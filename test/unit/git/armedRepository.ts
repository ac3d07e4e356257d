import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runGit } from '../../support/tempRepository.ts';

/** Configures everything by which git is known to run programs; all of them leave a file behind. */
export function arm(repository: string, folder: string): string {
  const marker = join(folder, 'pwned');
  const script = join(folder, 'evil.sh');
  writeFileSync(script, `#!/bin/sh\ntouch "${marker}"\ncat\n`);
  chmodSync(script, 0o755);
  for (const hook of ['post-index-change', 'reference-transaction', 'pre-commit', 'post-checkout', 'pre-push']) {
    mkdirSync(join(repository, '.git/hooks'), { recursive: true });
    rmSync(join(repository, '.git/hooks', hook), { force: true });
    symlinkSync(script, join(repository, '.git/hooks', hook));
  }
  const settings = {
    'core.fsmonitor': script,
    'core.pager': script,
    'core.editor': script,
    'core.sshCommand': script,
    'core.alternateRefsCommand': script,
    'core.gitProxy': script,
    'credential.helper': script,
    'diff.external': script,
    'diff.evil.textconv': script,
    'diff.evil.command': script,
    'filter.evil.clean': script,
    'filter.evil.smudge': script,
    'filter.evil.process': script,
    'filter.evil.required': 'true',
    'gpg.program': script,
    'uploadpack.packObjectsHook': script,
    'remote.origin.url': `ext::${script}`,
    'remote.origin.uploadpack': script,
    'remote.origin.promisor': 'true',
    'extensions.partialClone': 'origin',
    'protocol.ext.allow': 'always',
    'alias.status': `!${script}`,
  };
  for (const [key, value] of Object.entries(settings)) {
    runGit(repository, ['config', key, value]);
  }
  return marker;
}

/** Whether an unguarded git falls into the trap; without this a test of the guard proves nothing. */
export function armedGitRuns(repository: string, marker: string): boolean {
  runGit(repository, ['-c', 'filter.evil.required=false', '-c', 'filter.evil.process=', 'status']);
  const ran = existsSync(marker);
  rmSync(marker, { force: true });
  return ran;
}
