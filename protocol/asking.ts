import { riskOf, type RiskNote } from './approvalRisk.ts';
import type { Payload } from './events.ts';
import { isRecord } from './isRecord.ts';
import type { Approval, Ask } from './session.ts';

const MAX_ASKS = 5;
const MAX_TITLE = 300;

/** What of the open approvals stands in the row of a list. */
export function asksOf(approvals: readonly Approval[]): Ask[] {
  return approvals.slice(0, MAX_ASKS).map(({ id, kind, name, title, at, input, canAlwaysAllow, rules }) => ({
    id,
    kind,
    name,
    title: title.slice(0, MAX_TITLE),
    at,
    canAlwaysAllow,
    ...(rules ? { rules } : {}),
    ...(kind === 'tool' ? { ...riskOf(name, fieldsOf(input)), whole: isWhole(name, title, input) } : {}),
  }));
}

/** What an agent asks for, in one line. */
export function askLine({ kind, name, title }: Pick<Ask, 'kind' | 'name' | 'title'>): string {
  return kind === 'tool' && name !== title && !title.startsWith(`${name} `) ? `${name}: ${title}` : title;
}

/** The risk of an approval, for whoever has all of it. */
export function riskOfApproval({ kind, name, input }: Pick<Approval, 'kind' | 'name' | 'input'>): RiskNote | undefined {
  return kind === 'tool' ? riskOf(name, fieldsOf(input)) : undefined;
}

/** The words that are run or written, as a person must see them before they allow it. */
export function exactText({ name, input }: Pick<Approval, 'name' | 'input'>): string {
  const { command } = fieldsOf(input);
  return name === 'Bash' && typeof command === 'string' ? command : input.text;
}

/** Whether the title says all that is to be allowed, so that a person who read it has read everything. */
function isWhole(name: string, title: string, input: Payload): boolean {
  const given = fieldsOf(input);
  const others = Object.keys(given).filter(key => key !== 'command' && key !== 'description' && key !== 'timeout');
  return name === 'Bash' && input.blob === undefined && given['command'] === title && others.length === 0;
}

function fieldsOf({ text }: Payload): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    return isRecord(parsed) ? parsed : {};
  } catch {
    // A preview of a large input is cut in its middle.
    return {};
  }
}
