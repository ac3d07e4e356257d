import * as vscode from 'vscode';
import { DisposableStore } from '../disposables.ts';
import { MCP_SERVERS } from '../manifest.ts';
import type { RelayConnection } from '../relay/relayConnection.ts';

/** Names the relay's MCP server until it is started: where it is then, and with which token, only that moment tells. */
const NOT_YET = 'http://127.0.0.1/mcp';

/**
 * Offers the relay to the agents of the editor as an MCP server. Listing it starts nothing; the token is handed over when
 * the editor starts the server, which the user has to trust first.
 */
export class McpServers implements vscode.McpServerDefinitionProvider<vscode.McpHttpServerDefinition> {
  readonly onDidChangeMcpServerDefinitions: vscode.Event<void>;
  readonly #disposables = new DisposableStore();
  readonly #relay: RelayConnection;
  readonly #version: string;

  constructor(relay: RelayConnection, version: string) {
    this.#relay = relay;
    this.#version = version;
    this.onDidChangeMcpServerDefinitions = relay.onDidChangeTarget;
    this.#disposables.add(vscode.lm.registerMcpServerDefinitionProvider(MCP_SERVERS, this));
  }

  provideMcpServerDefinitions(): vscode.McpHttpServerDefinition[] {
    return [new vscode.McpHttpServerDefinition('Sandpiper', vscode.Uri.parse(NOT_YET), {}, this.#version)];
  }

  async resolveMcpServerDefinition(server: vscode.McpHttpServerDefinition): Promise<vscode.McpHttpServerDefinition> {
    await this.#relay.whenConnected();
    const { url, token } = this.#relay.endpoint();
    server.uri = vscode.Uri.parse(`${url}/mcp`);
    server.headers = { Authorization: `Bearer ${token}` };
    return server;
  }

  dispose(): void {
    this.#disposables.dispose();
  }
}
