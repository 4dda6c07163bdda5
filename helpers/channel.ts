/**
 * The websocket over which the API server carries exec and port-forward: binary frames whose first byte is a channel's number.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/ and k8s.io/apimachinery/pkg/util/remotecommand (v5.channel.k8s.io).
 * The handshake is our own because the library's hides what the server says when it refuses, which is what a diagnosis lives on.
 */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { WebSocket, type RawData } from "ws";
import { statusOf } from "./api-errors.ts";
import { ConformanceError, InconclusiveError, reasonOf } from "./errors.ts";
import { clientCertificateProblem, type ClusterAccess } from "./kubeconfig.ts";
import { urlOf, type KubernetesClient } from "./kubernetes.ts";
import { networkReason } from "./network-reason.ts";

type Opening = {
  /** What is being done, for messages: `exec in pod smoke-1/nginx-x`. */
  what: string;
  path: string;
  query: readonly (readonly [string, string])[];
  protocols: readonly string[];
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** Hears every frame, also those that come in one packet with the server's consent. */
  onFrame: (channel: number, content: Buffer) => void;
};

/**
 * Opens a websocket. It is cut off by the signal, then and later.
 * @throws ConformanceError when the cluster refuses for a reason of its own, InconclusiveError when we may not or cannot reach it
 */
export async function openChannel(client: KubernetesClient, opening: Opening): Promise<WebSocket> {
  const { what, timeoutMs, signal } = opening;
  const { access } = client;
  if (access.proxyURL !== undefined) {
    throw new InconclusiveError(
      `${what}: the kubeconfig has a proxy-url, through which this suite can make requests, but open no websocket. Run it where the API can be reached without.`,
    );
  }
  const socket = socketOf(client, await access.authorization(), opening);
  try {
    await opened(socket, access, { ...opening, signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]) });
    return socket;
  } catch (error) {
    socket.terminate();
    if (error instanceof ConformanceError || error instanceof InconclusiveError) throw error;
    if (signal?.aborted) throw new InconclusiveError(`${what}: called off: ${reasonOf(signal.reason)}.`, { cause: error });
    if (error instanceof Error && error.name === "AbortError") throw await silence(client, what, timeoutMs);
    throw new InconclusiveError(`${what}: API server ${access.server}: ${networkReason(error)}`, { cause: error });
  }
}

function socketOf(
  { access, websocketAgent }: KubernetesClient,
  authorization: string | undefined,
  { path, query, protocols, signal, onFrame }: Opening,
): WebSocket {
  const url = new URL(urlOf(access.server, path));
  for (const [name, value] of query) url.searchParams.append(name, value);
  url.protocol = url.protocol.replace("http", "ws");
  const headers = authorization === undefined ? {} : { authorization };
  const socket = new WebSocket(url, [...protocols], { agent: websocketAgent, headers, perMessageDeflate: false });
  // From here on an error ends the socket; whoever uses it hears of that by its close.
  socket.on("error", () => undefined);
  socket.on("message", (data) => onFrame(...frameOf(data)));
  const cutOff = () => socket.terminate();
  signal?.addEventListener("abort", cutOff);
  socket.once("close", () => signal?.removeEventListener("abort", cutOff));
  return socket;
}

async function opened(socket: WebSocket, access: ClusterAccess, { what, signal }: Opening & { signal: AbortSignal }): Promise<void> {
  const refused = once(socket, "unexpected-response", { signal }).then(async (given) => {
    const response = given[1] as IncomingMessage;
    const chunks = (await response.toArray()) as Buffer[];
    throw refusedChannel(access, what, response.statusCode ?? 0, Buffer.concat(chunks).toString("utf8"));
  });
  // Whichever of the two comes second is of no interest.
  refused.catch(() => undefined);
  await Promise.race([once(socket, "open", { signal }), refused]);
}

/** An API server that answers everything else is waiting for the kubelet; one that does not is out of reach. */
export async function silence(client: KubernetesClient, what: string, timeoutMs: number): Promise<Error> {
  const waited = `${what}: no answer within ${timeoutMs / 1000} s`;
  const reason = await client.get("/version").then(
    () => undefined,
    (error: unknown) => error,
  );
  if (reason !== undefined) return new InconclusiveError(`${waited}; ${reasonOf(reason)}`, { cause: reason });
  return new ConformanceError(
    `${waited}, though ${client.access.server} answers other requests. Does it reach the kubelet of this Pod's Node?`,
  );
}

/**
 * Who refused? The API server refuses a user by a Status that names `pods/exec`, or whose reason and message are Unauthorized. Everything
 * else, and the bare word of a kubelet that refuses the API server, has come through from the kubelet, the runtime or the way to them,
 * which is the cluster's fault.
 */
export function refusedChannel(access: ClusterAccess, what: string, code: number, text: string): ConformanceError | InconclusiveError {
  const { message = "no reason given", reason: ofAPI } = statusOf(text);
  if (code === 401 && message === "Unauthorized" && ofAPI === "Unauthorized") {
    const reason = clientCertificateProblem(access) ?? `the API server does not accept the credentials of user "${access.userName}"`;
    return new InconclusiveError(`${what}: refused with 401: ${reason}.`);
  }
  const [, subresource] = /cannot \w+ resource "pods\/(\w+)"/.exec(message) ?? [];
  if (code === 403 && subresource !== undefined) {
    const remedy = subresource === "log" ? "It needs the verb get." : "It needs the verb create, and before Kubernetes 1.35 get.";
    return new InconclusiveError(`${what}: user "${access.userName}" may not: ${message}. ${remedy}`);
  }
  return new ConformanceError(`${what}: refused with ${code}: ${message}`);
}

function frameOf(data: RawData): [channel: number, content: Buffer] {
  const bytes = Buffer.isBuffer(data) ? data : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]);
  return [bytes[0] ?? -1, bytes.subarray(1)];
}

/** What is sent on a channel: the channel's number, and the content. */
export const frame = (channel: number, content: Buffer | string): Buffer => Buffer.concat([Buffer.from([channel]), Buffer.from(content)]);
