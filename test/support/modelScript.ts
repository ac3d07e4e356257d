import { z } from 'zod';

/*
 * The script that a prompt carries: `do it @@[{"text":"hi"},{"tool":"Bash","input":{"command":"ls"}},{"text":"done"}]`.
 * The last prompt with a script wins, and the step is the number of answers since that prompt. So the scripted model needs
 * no memory, and a conversation that is resumed, steered or sent again goes on where it was.
 */

const toolUseSchema = z.object({ tool: z.string(), input: z.record(z.string(), z.unknown()).default({}) });
const blockSchema = z.union([
  toolUseSchema.strict(),
  z.strictObject({ thinking: z.string() }),
  z.strictObject({ text: z.string() }),
]);
export type Block = z.infer<typeof blockSchema>;

const stepSchema = z.strictObject({
  /** The usual answer: thinking, then text, then one tool call, each if present. */
  thinking: z.string().optional(),
  text: z.string().optional(),
  tool: z.string().optional(),
  input: z.record(z.string(), z.unknown()).optional(),
  /** Or any blocks in any order: several tools, several texts. */
  blocks: z.array(blockSchema).optional(),

  /** Into how many deltas each text is split; default one delta for 20 characters. */
  deltas: z.int().positive().optional(),
  /** Pause between two deltas. */
  delayMs: z.number().optional(),
  /** Pause before the response's headers. */
  waitMs: z.number().optional(),

  /** An error answer instead. */
  status: z.int().optional(),
  message: z.string().optional(),
  retryAfter: z.number().optional(),
  /** Cuts the connection: before anything is sent, in the middle of the longest text, or before the closing events. */
  drop: z.enum(['start', 'mid', 'end']).optional(),
  /** Sends nothing for this long in the middle of the longest text, then cuts. */
  stallMs: z.number().optional(),
  /** How often `status`, `drop` or `stallMs` apply before the step succeeds. Default: `status` for ever, the others once. */
  times: z.int().optional(),

  stop: z.string().optional(),
  usage: z.record(z.string(), z.number()).optional(),
});
export type Step = z.infer<typeof stepSchema>;
/** A step as a test writes it. */
export type StepInput = z.input<typeof stepSchema>;

/** What the request asks the model to do now. */
export type Plan =
  | { kind: 'script'; step: Step; key: string }
  | { kind: 'deltas'; count: number; intervalMs: number; run: string }
  | { kind: 'tools'; count: number; done: number; intervalMs: number; run: string }
  | { kind: 'title' };

export const messagesRequestSchema = z.looseObject({
  model: z.string(),
  stream: z.boolean().optional(),
  tools: z.array(z.looseObject({})).optional(),
  messages: z.array(
    z.looseObject({
      role: z.string(),
      content: z.union([z.string(), z.array(z.looseObject({ type: z.string(), text: z.string().optional() }))]),
    }),
  ),
});
export type MessagesRequest = z.infer<typeof messagesRequestSchema>;
type Message = MessagesRequest['messages'][number];

/** A prompt that makes the scripted model answer with these steps, one a request. */
export function scripted(words: string, steps: readonly StepInput[]): string {
  return `${words} @@${JSON.stringify(steps)}`;
}

/**
 * Reads the script of the last prompt that has one; without one, the steps of the fallback are taken one an answer.
 * @throws when a script is not valid
 */
export function planOf(request: MessagesRequest, fallback: readonly StepInput[] = []): Plan {
  const { messages } = request;
  if ((request.tools ?? []).length === 0) {
    return { kind: 'title' };
  }
  for (let index = messages.length - 1; index >= 0; index--) {
    const message = messages[index];
    if (message === undefined || message.role === 'assistant') {
      continue;
    }
    const since = messages.slice(index + 1);
    const plan = textsOf(message)
      .map(text =>
        planIn(
          text.replaceAll('{{planFile}}', () => planFileIn(messages)),
          since,
        ),
      )
      .findLast(found => found !== undefined);
    if (plan !== undefined) {
      return plan;
    }
  }
  const answered = messages.filter(message => message.role === 'assistant').length;
  const step = fallback[answered];
  return {
    kind: 'script',
    step: step === undefined ? { text: 'No script in this prompt.' } : stepSchema.parse(step),
    key: '',
  };
}

/** The file for its plan that the agent names to the model in plan mode; a script says `{{planFile}}` for it. */
function planFileIn(messages: readonly Message[]): string {
  const texts = messages.flatMap(textsOf);
  return texts.map(text => /\/[^\s"'`]*\/plans\/[\w.-]+\.md/.exec(text)?.[0]).find(path => path !== undefined) ?? '';
}

export interface ConversationPart {
  role: string;
  text: string;
}

/** Texts of a conversation in order: prompts without their scripts, and answers; neither tools nor reminders. */
export function conversationOf(messages: readonly Message[]): ConversationPart[] {
  return messages.flatMap(message =>
    textsOf(message)
      .filter(text => !text.startsWith('<system-reminder>'))
      .map(text => ({ role: message.role, text: text.replace(/\s*@@\[[^]*$/, '') })),
  );
}

function planIn(text: string, since: readonly Message[]): Plan | undefined {
  const bench = /SCN:(deltas|tools):(\d+):(\d+):(\w+)/.exec(text);
  if (bench !== null) {
    const [, kind, count, intervalMs, run = ''] = bench;
    const numbers = { count: Number(count), intervalMs: Number(intervalMs), run };
    return kind === 'deltas' ? { kind, ...numbers } : { kind: 'tools', ...numbers, done: toolResults(since) };
  }
  const script = scriptsIn(text).at(-1);
  if (script === undefined) {
    return undefined;
  }
  const steps = z.array(stepSchema).parse(JSON.parse(script));
  const index = since.filter(message => message.role === 'assistant').length;
  return { kind: 'script', step: steps[index] ?? { text: 'The script is at its end.' }, key: `${index} ${script}` };
}

/** The images that the user sent, in base64, each as often as the conversation has it. What a tool returned is none. */
export function imagesOf({ messages }: MessagesRequest): string[] {
  return messages.flatMap(({ role, content }) =>
    role !== 'user' || typeof content === 'string'
      ? []
      : content.flatMap(block => {
          const source = imageSchema.safeParse(block);
          return source.success ? [source.data.source.data] : [];
        }),
  );
}

const imageSchema = z.looseObject({
  type: z.literal('image'),
  source: z.looseObject({ type: z.literal('base64'), data: z.string() }),
});

/** What the user said last; results of tools are no texts. */
export function lastPrompt({ messages }: MessagesRequest): string[] {
  const said = messages.filter(({ role }) => role === 'user').map(textsOf);
  return said.findLast(texts => texts.length > 0) ?? [];
}

function textsOf(message: Message): string[] {
  return typeof message.content === 'string'
    ? [message.content]
    : message.content.flatMap(block => (block.type === 'text' ? [block.text ?? ''] : []));
}

function toolResults(messages: readonly Message[]): number {
  return messages
    .flatMap(message => (typeof message.content === 'string' ? [] : message.content))
    .filter(block => block.type === 'tool_result').length;
}

/** The JSON texts after `@@`; a bracket inside a JSON string does not count, so that scripts nest. */
function scriptsIn(text: string): string[] {
  const scripts: string[] = [];
  for (let from = text.indexOf('@@['); from >= 0; from = text.indexOf('@@[', from)) {
    const end = endOfJson(text, from + 2);
    scripts.push(text.slice(from + 2, end));
    from = end;
  }
  return scripts;
}

function endOfJson(text: string, start: number): number {
  let depth = 0;
  let inString = false;
  for (let index = start; index < text.length; index++) {
    const char = text[index];
    if (inString) {
      if (char === '\\') {
        index++;
      } else if (char === '"') {
        inString = false;
      }
    } else if (char === '"') {
      inString = true;
    } else if (char === '[' || char === '{') {
      depth++;
    } else if ((char === ']' || char === '}') && --depth === 0) {
      return index + 1;
    }
  }
  return text.length;
}
