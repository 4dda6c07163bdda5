/**
 * An API server for tests, in this process: TLS with client certificates, HTTP/2 as the real one offers it, and websockets.
 */
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import type { IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";
import type { ClusterAccess } from "./kubeconfig.ts";
import { KubernetesClient } from "./kubernetes.ts";
import { newCertificate, type Certificate } from "./test-certificates.ts";

/** What a request is answered with: an object is written as JSON. */
export type Answer = { code: number; body: string } | { code: number; body: object };
type Behaviour = {
  /** Answers requests; one without an answer hangs. */
  answer?: (request: Http2ServerRequest, body: string, response: Http2ServerResponse) => Answer | undefined;
  /** Refuses a websocket; one that is not refused is opened. */
  refuse?: (request: IncomingMessage) => Answer | undefined;
  /** Speaks on a websocket. */
  speak?: (socket: WebSocket, request: IncomingMessage) => void;
  /** In which protocol; without it, in the first of those that the client offers. */
  protocol?: string;
  /** Takes an upgrade into its own hands. */
  upgrade?: (request: IncomingMessage, socket: Socket) => void;
  certificate?: Certificate;
};

export type TestAPI = {
  client: KubernetesClient;
  access: ClusterAccess;
  /** Connections that have been made. */
  connections: () => number;
  /** Connections that are open. */
  open: () => number;
  /** Cuts every connection, as a kill -9 does. */
  cut: () => void;
  [Symbol.asyncDispose](): Promise<void>;
};

const authority = newCertificate({ commonName: "kubernetes" });
const serverCertificate = newCertificate({
  commonName: "kube-apiserver",
  subjectAltName: "IP:127.0.0.1,DNS:kubernetes",
  issuer: authority,
});
const adminCertificate = newCertificate({ commonName: "admin", issuer: authority });

/** The body of a refusal. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
export const statusBody = (code: number, reason: string, message: string): Answer => ({
  code,
  body: { kind: "Status", status: "Failure", code, reason, message },
});

/** Starts one on a port of its own, and a client that it trusts. */
export async function startTestAPI(behaviour: Behaviour): Promise<TestAPI> {
  const { answer, refuse, speak, upgrade, certificate = serverCertificate } = behaviour;
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createSecureServer({ ...certificate, ca: authority.cert, requestCert: true, allowHTTP1: true });
  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("request", (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const answered = answer?.(request, Buffer.concat(chunks).toString("utf8"), response);
      if (answered !== undefined) response.writeHead(answered.code, { "content-type": "application/json" }).end(textOf(answered));
    });
  });
  const webSockets = webSocketServer(behaviour);
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const refused = refuse?.(request);
    if (refused !== undefined) {
      const text = textOf(refused);
      socket.end(`HTTP/1.1 ${refused.code} Refused\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`);
    } else if (upgrade !== undefined) upgrade(request, socket);
    else webSockets.handleUpgrade(request, socket, head, (webSocket) => speak?.(webSocket, request));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));

  const access: ClusterAccess = {
    contextName: "test",
    clusterName: "test",
    userName: "admin",
    server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tls: { ca: authority.cert, ...adminCertificate, rejectUnauthorized: true },
    authorization: async () => undefined,
  };
  const client = new KubernetesClient(access);
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    client,
    access,
    connections: () => connections,
    open: () => sockets.size,
    cut,
    async [Symbol.asyncDispose]() {
      await client.close();
      cut();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

function webSocketServer({ protocol }: Behaviour): WebSocketServer {
  const chosen = (offered: ReadonlySet<string>) =>
    protocol !== undefined && offered.has(protocol) ? protocol : ([...offered][0] ?? false);
  return new WebSocketServer({ noServer: true, handleProtocols: chosen });
}

const textOf = ({ body }: Answer): string => (typeof body === "string" ? body : JSON.stringify(body));
