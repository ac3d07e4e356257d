import { join } from 'node:path';

/** What npm alone does not bring. */
export type Need = 'bubblewrap' | 'docker' | 'sqlite' | 'vscodeServer' | 'chromium' | 'bundles';

/** Something that could not be brought, why, and the one command that brings it. */
export interface Missing {
  need: Need | 'git';
  reason: string;
  command: string;
}

/** Takes one line of progress for a person. */
export type Report = (line: string) => void;

export const repositoryFolder = join(import.meta.dirname, '..', '..');

/** For what setup downloads and unpacks: kept between runs, never committed, safe to delete. */
export const cacheFolder = join(repositoryFolder, '.cache');
