import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { z } from 'zod';
import { commandOf, endText, workIn } from './work.ts';

/*
 * A Messages API on loopback for the real Claude Code: it answers what the last chaos message asks for, one tool an answer.
 * It has no memory: how far the turn is, the request itself tells.
 */

const requestSchema = z.looseObject({
  model: z.string(),
  stream: z.boolean().optional(),
  tools: z.array(z.unknown()).optional(),
  messages: z.array(
    z.looseObject({
      role: z.string(),
      content: z.union([z.string(), z.array(z.looseObject({ type: z.string(), text: z.string().optional() }))]),
    }),
  ),
});
type ModelRequest = z.infer<typeof requestSchema>;

export interface ChaosModel {
  readonly url: string;
  close(): Promise<void>;
}

export async function startModel(): Promise<ChaosModel> {
  let answers = 0;
  const begun = Date.now().toString(36);
  const server = createServer((request, response) => {
    reply(request, response, `${begun}${++answers}`).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('The model has no port.');
  }
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function reply(request: IncomingMessage, response: ServerResponse, id: string): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(Buffer.from(chunk));
  }
  const path = (request.url ?? '').split('?')[0] ?? '';
  if (!path.endsWith('/v1/messages')) {
    response.writeHead(request.method === 'HEAD' ? 200 : 404).end();
    return;
  }
  const asked = requestSchema.parse(JSON.parse(Buffer.concat(chunks).toString()));
  const content = contentOf(asked, id);
  const usage = { input_tokens: 100, output_tokens: 20, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
  const stopReason = content.some(block => block.type === 'tool_use') ? 'tool_use' : 'end_turn';
  const message = {
    id: `msg_${id}`,
    type: 'message',
    role: 'assistant',
    model: asked.model,
    stop_sequence: null,
    usage,
  };
  if (asked.stream !== true) {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ ...message, content, stop_reason: stopReason }));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (event: { type: string; [field: string]: unknown }): void => {
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  };
  send({ type: 'message_start', message: { ...message, content: [], stop_reason: null } });
  for (const [index, block] of content.entries()) {
    const isText = block.type === 'text';
    const empty = isText ? { type: 'text', text: '' } : { ...block, input: {} };
    send({ type: 'content_block_start', index, content_block: empty });
    const delta = isText
      ? { type: 'text_delta', text: block.text }
      : { type: 'input_json_delta', partial_json: JSON.stringify(block.input) };
    send({ type: 'content_block_delta', index, delta });
    send({ type: 'content_block_stop', index });
  }
  send({ type: 'message_delta', delta: { stop_reason: stopReason, stop_sequence: null }, usage });
  send({ type: 'message_stop' });
  response.end();
}

type Block =
  { type: 'text'; text: string } | { type: 'tool_use'; id: string; name: string; input: { command: string } };

function contentOf({ messages, tools = [] }: ModelRequest, id: string): Block[] {
  if (tools.length === 0) {
    return [{ type: 'text', text: '{"title":"Chaos"}' }];
  }
  const at = messages.findLastIndex(message => message.role !== 'assistant' && workIn(textIn(message)) !== undefined);
  const work = workIn(textIn(messages[at]));
  if (!work) {
    return [{ type: 'text', text: 'There is nothing to do.' }];
  }
  const step = 1 + messages.slice(at + 1).filter(message => message.role === 'assistant').length;
  if (step > work.tools) {
    const remembered = messages.flatMap(({ role, ...message }) =>
      role === 'assistant' ? [] : (workIn(textIn({ role, ...message }))?.message ?? []),
    );
    return [{ type: 'text', text: endText(work.message, remembered) }];
  }
  const toolId = `toolu_${id}`;
  const command = `sleep ${work.paceMs / 1000}; ${commandOf(toolId, work.message, step)}`;
  return [
    { type: 'text', text: `Step ${step} of ${work.tools}.` },
    { type: 'tool_use', id: toolId, name: 'Bash', input: { command } },
  ];
}

function textIn(message: ModelRequest['messages'][number] | undefined): string {
  const { content = '' } = message ?? {};
  return typeof content === 'string'
    ? content
    : (content
        .filter(block => block.type === 'text')
        .map(block => block.text ?? '')
        .findLast(text => workIn(text) !== undefined) ?? '');
}
