import { z } from 'zod';

const answerSchema = z.looseObject({
  result: z.looseObject({}).optional(),
  error: z.looseObject({ code: z.int(), message: z.string() }).optional(),
});
const toolResultSchema = z.looseObject({
  isError: z.boolean().optional(),
  content: z.array(z.looseObject({ type: z.string(), text: z.string() })),
});

export type McpAnswer = z.infer<typeof answerSchema>;

/** One request of the Model Context Protocol over HTTP, as clients of 2025 send it. */
export async function askMcp(
  { url, token }: { url: string; token?: string },
  method: string,
  params: Record<string, unknown>,
): Promise<{ status: number; answer: McpAnswer | undefined }> {
  const response = await fetch(`${url}/mcp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-06-18',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const text = await response.text();
  return { status: response.status, answer: response.ok ? parseAnswer(text) : undefined };
}

/** The text of a tool's answer, and whether it is a refusal. */
export function toolText(answer: McpAnswer | undefined): { text: string; isError: boolean } {
  const { content, isError = false } = toolResultSchema.parse(answer?.result);
  return { text: content.map(({ text }) => text).join(''), isError };
}

/** A line of JSON, or the data of an event stream. */
export function parseAnswer(text: string): McpAnswer {
  const data = text.startsWith('{') ? text : (/^data: (.*)$/m.exec(text)?.[1] ?? '');
  return answerSchema.parse(JSON.parse(data));
}
