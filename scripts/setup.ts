import { setUpBubblewrap } from './setup/bubblewrap.ts';
import { setUpBundles } from './setup/bundles.ts';
import { setUpChromium } from './setup/chromium.ts';
import { setUpDocker } from './setup/docker.ts';
import { checkGit } from './setup/git.ts';
import type { Missing, Need, Report } from './setup/need.ts';
import { setUpSqlite } from './setup/sqlite.ts';
import { setUpVscodeServer } from './setup/vscodeServer.ts';

/*
 * Brings what npm alone does not, for tests, demo and bench. Run again it finds everything there and ends at once; an
 * interrupted run is simply done again. `npm run setup` runs it by itself.
 */

export interface SetupResult {
  /** What could not be brought, in the order asked for. Empty: all is there. */
  missing: Missing[];
}

const steps: Record<Exclude<Need, 'sqlite'>, (report: Report) => Promise<Missing | undefined>> = {
  bubblewrap: setUpBubblewrap,
  docker: setUpDocker,
  vscodeServer: setUpVscodeServer,
  chromium: setUpChromium,
  bundles: setUpBundles,
};

/** Brings what is needed, as far as this user on this machine may; git is always looked for. Never throws for a miss. */
export async function setUp(needs: readonly Need[], report: Report): Promise<SetupResult> {
  // The bundles carry the binary of sqlite3, so that goes first.
  const first = needs.includes('sqlite') || needs.includes('bundles') ? await setUpSqlite(report) : undefined;
  const others = needs.filter(need => need !== 'sqlite').map(need => steps[need](report));
  const found = await Promise.all([checkGit(), ...others]);
  return { missing: [first, ...found].filter(miss => miss !== undefined) };
}

/** One line for a person: what, why, and what to do. */
export function describeMissing({ need, reason, command }: Missing): string {
  return `${need} is missing: ${reason}. To get it: ${command}`;
}

if (process.argv[1] === import.meta.filename) {
  const { missing } = await setUp(['sqlite', 'bubblewrap', 'docker', 'vscodeServer', 'chromium', 'bundles'], line =>
    console.log(`setup: ${line}`),
  );
  for (const miss of missing) {
    console.error(`setup: ${describeMissing(miss)}`);
  }
  console.log(missing.length === 0 ? 'setup: everything is there' : `setup: ${missing.length} missing`);
  process.exitCode = missing.length === 0 ? 0 : 1;
}
