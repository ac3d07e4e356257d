import { describeMissing } from './setup.ts';
import { setUpSqlite } from './setup/sqlite.ts';

/*
 * Part of `npm ci`, so that demo and tests need not compile first. Never fails: without the binary the relay uses
 * node:sqlite, and the set-up step of the tests names what is missing.
 */

const missing = await setUpSqlite(line => console.log(`setup: ${line}`));
if (missing) {
  console.log(`setup: ${describeMissing(missing)}`);
}
