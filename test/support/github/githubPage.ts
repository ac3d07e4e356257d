import type { GithubPull, GithubRepository } from './githubObjects.ts';

/** A page for people who open the link of a pull request in the demo. */
export function pullRequestPage(repository: GithubRepository, pull: GithubPull, diffStat: string): string {
  const state = pull.mergedAt !== null ? 'Merged' : pull.state === 'closed' ? 'Closed' : pull.draft ? 'Draft' : 'Open';
  const title = `${escape(pull.title)} #${pull.number}`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>
<style>body{font:16px/1.5 system-ui;max-width:50em;margin:2em auto;padding:0 1em}pre{white-space:pre-wrap;background:#f4f4f4;padding:1em}</style>
<p>${escape(repository.owner)} / ${escape(repository.name)} (a stand-in for GitHub on this machine)</p>
<h1>${title}</h1><p><b>${state}</b>: ${escape(pull.head)} into ${escape(pull.base)}</p>
<pre>${escape(pull.body ?? '')}</pre><pre>${escape(diffStat)}</pre></html>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`);
}
