import { createInterface, type Interface } from 'node:readline/promises';
import type { ApprovalDecision } from '../../../protocol/events.ts';
import type { Approval } from '../../../protocol/session.ts';
import { plain, type Style } from './render.ts';

/** What came of asking a person at the terminal. */
export type Answer = { kind: 'decided'; decision: ApprovalDecision } | { kind: 'interrupted' } | { kind: 'left' };

/**
 * Asks at the terminal. `interrupted` is Ctrl-C; `left` means that the question was withdrawn through `signal`, or that
 * the terminal has no more input.
 */
export async function askAtTerminal(approval: Approval, style: Style, signal: AbortSignal): Promise<Answer> {
  const closed = new AbortController();
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  let interrupted = false;
  terminal.on('SIGINT', () => {
    interrupted = true;
    closed.abort();
  });
  terminal.on('close', () => closed.abort());
  const ask = (text: string) => terminal.question(text, { signal: AbortSignal.any([signal, closed.signal]) });
  try {
    process.stderr.write(
      `${style.bold(plain(approval.name))} ${plain(approval.title)}\n${style.dim(plain(approval.input.text))}\n`,
    );
    const decision = approval.questions ? await askQuestions(ask, approval) : await askPermission(ask, approval);
    return { kind: 'decided', decision };
  } catch (error) {
    if (signal.aborted || closed.signal.aborted) {
      process.stderr.write('\n');
      return { kind: interrupted ? 'interrupted' : 'left' };
    }
    throw error;
  } finally {
    terminal.close();
  }
}

type Ask = (text: string) => ReturnType<Interface['question']>;

async function askPermission(ask: Ask, approval: Approval): Promise<ApprovalDecision> {
  const always = approval.canAlwaysAllow ? ', (a)lways in this session' : '';
  for (;;) {
    const answer = (await ask(`Allow? (y)es${always}, (n)o: `)).trim().toLowerCase();
    if (answer === 'y' || answer === 'yes') {
      return { kind: 'allow' };
    }
    if (approval.canAlwaysAllow && (answer === 'a' || answer === 'always')) {
      return { kind: 'allow', always: true };
    }
    if (answer === 'n' || answer === 'no') {
      const message = (await ask('Why? (optional) ')).trim();
      return message === '' ? { kind: 'deny' } : { kind: 'deny', message };
    }
  }
}

async function askQuestions(ask: Ask, approval: Approval): Promise<ApprovalDecision> {
  const answers: Record<string, string> = {};
  for (const { question, options } of approval.questions ?? []) {
    process.stderr.write(
      `${plain(question)}\n${options.map((option, index) => `  ${index + 1}. ${plain(option.label)}`).join('\n')}\n`,
    );
    const text = (await ask('Number or text: ')).trim();
    answers[question] = options[Number(text) - 1]?.label ?? text;
  }
  return { kind: 'answers', answers };
}
