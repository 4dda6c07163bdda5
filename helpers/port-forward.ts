/**
 * A local port whose connections end in a Pod, as `kubectl port-forward` makes it. The protocol carries one TCP connection a websocket:
 * channel 0 is the data, channel 1 an error in words, and the first frame of each only repeats the port's number.
 * k8s.io/kubelet/pkg/cri/streaming/portforward
 */
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import type { WebSocket } from "ws";
import { frame, openChannel } from "./channel.ts";
import { reasonOf } from "./errors.ts";
import type { KubernetesClient } from "./kubernetes.ts";

export type PortForward = {
  /** On 127.0.0.1, chosen by the system. */
  port: number;
  /** What the cluster, or this machine, has said of connections that failed, the latest last. */
  errors: readonly string[];
  /** Ends every connection; afterwards nothing listens, and no connection is open. */
  close: () => Promise<void>;
};

type Target = {
  namespace: string;
  pod: string;
  port: number;
  /** How long the cluster may take to open the way for a connection; 5 s unless told. A client needs more patience, to hear why not. */
  timeoutMs?: number;
};
type Forwarding = Target & { errors: string[]; signal: AbortSignal };

/**
 * How runtimes word it that nothing in the Pod listens where a forward leads. What is asked by a URL is another server: the API server, or,
 * at its Node's name, the kubelet.
 */
export const refusedInPod = /(?:inside namespace|(?<!\/\/)(?:localhost|127\.0\.0\.1):\d+).*connection refused/i;

const [dataChannel, errorChannel] = [0, 1] as const;
/** The code of a websocket that ended without the word of the other side, RFC 6455, 7.4.1. */
const lostConnection = 1006;
/** A client that has said all it has to say may still be waiting for its answer; the protocol knows no half-closed connection. */
const farewellMs = 2_000;

/** Begins to listen. Whether the Pod can be reached shows with the first connection. */
export async function forwardPort(client: KubernetesClient, target: Target): Promise<PortForward> {
  const errors: string[] = [];
  const ending = new AbortController();
  const connections = new Map<Socket, Promise<void>>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    const connection = connect(client, socket, { ...target, errors, signal: ending.signal }).catch((error: unknown) => {
      if (!ending.signal.aborted) errors.push(reasonOf(error));
      socket.destroy();
    });
    connections.set(socket, connection);
    void connection.then(() => connections.delete(socket));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  // A process that may open no more files cannot take a connection, and would end by the error.
  server.on("error", (error) => errors.push(`${inWords(target)}: 127.0.0.1:${port} could not take a connection: ${reasonOf(error)}`));
  return {
    port,
    errors,
    close: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      ending.abort(new Error("the forward was closed"));
      for (const socket of connections.keys()) socket.destroy();
      await Promise.all([closed, ...connections.values()]);
    },
  };
}

const inWords = ({ namespace, pod, port }: Target): string => `port-forward to port ${port} of pod ${namespace}/${pod}`;

/** Carries one connection from its beginning to its end. */
async function connect(client: KubernetesClient, socket: Socket, forwarding: Forwarding): Promise<void> {
  const { namespace, pod, port, timeoutMs = 5_000, errors, signal } = forwarding;
  const what = inWords(forwarding);
  const socketClosed = closeOf(socket);
  // How the local client ends is its own affair.
  socket.on("error", () => undefined);
  const fail = (reason: string) => {
    errors.push(`${what}: ${reason}`);
    socket.destroy();
  };
  const begun = new Set<number>();
  const channel = await openChannel(client, {
    what,
    path: `/api/v1/namespaces/${namespace}/pods/${pod}/portforward`,
    query: [["ports", String(port)]],
    protocols: ["v4.channel.k8s.io"],
    timeoutMs,
    signal,
    onFrame: (number, content) => {
      if (!begun.has(number)) begun.add(number);
      else if (number === dataChannel) socket.write(content);
      else if (number === errorChannel && content.length > 0) fail(content.toString("utf8"));
    },
  });
  channel.once("close", (code) => {
    if (code === lostConnection && !socket.destroyed && !signal.aborted) fail("the connection to the cluster was lost");
    socket.end();
  });
  socket.on("data", (chunk: Buffer) => channel.send(frame(dataChannel, chunk), () => undefined));
  socket.once("end", () => setTimeout(() => channel.terminate(), farewellMs).unref());
  void socketClosed.then(() => channel.terminate());
  socket.resume();
  await Promise.all([socketClosed, channel.readyState === channel.CLOSED || closeOf(channel)]);
}

const closeOf = (emitter: Socket | WebSocket): Promise<void> => new Promise((resolve) => void emitter.once("close", () => resolve()));
