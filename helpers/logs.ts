/**
 * A container's log, as it is and as it grows.
 */
import { ApiRefusal, ApiServerError, ApiTimeout } from "./api-errors.ts";
import { refusedChannel, silence } from "./channel.ts";
import type { KubernetesClient } from "./kubernetes.ts";

export type LogTarget = {
  namespace: string;
  pod: string;
  container: string;
  tailLines?: number;
  /** For the log, or for the beginning of one that is followed; 10 s unless told. */
  timeoutMs?: number;
  signal?: AbortSignal;
};

/** Whether it is that of the container before, which has ended. */
type Previous = { previous?: boolean };

/** @throws ConformanceError when the cluster cannot show it, InconclusiveError when we may not or cannot ask */
export async function readLog(client: KubernetesClient, target: LogTarget & Previous): Promise<string> {
  return client.text(pathOf(target), { query: queryOf(target), ...limitsOf(target) }).catch((error) => explain(client, target, error));
}

/**
 * Lines as they are written, until the signal; what breaks off is an end, not an exception.
 * @throws as readLog does, before the first line
 */
export async function followLog(client: KubernetesClient, target: LogTarget & { signal: AbortSignal }): Promise<AsyncIterable<string>> {
  const options = { query: { ...queryOf(target), follow: true }, ...limitsOf(target), signal: target.signal };
  return linesOf(await client.stream(pathOf(target), options).catch((error) => explain(client, target, error)));
}

async function* linesOf(body: AsyncIterable<Buffer>): AsyncIterable<string> {
  // A character may be cut in two by the end of a chunk.
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for await (const chunk of body) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
  } catch {
    // The signal, or the connection's end: whoever waits for a line says what was missing.
  }
  if (rest !== "") yield rest;
}

const pathOf = ({ namespace, pod }: LogTarget): string => `/api/v1/namespaces/${namespace}/pods/${pod}/log`;

const queryOf = ({ container, tailLines, previous = false }: LogTarget & Previous) => ({
  container,
  ...(previous && { previous }),
  ...(tailLines !== undefined && { tailLines }),
});

const limitsOf = ({ timeoutMs = 10_000, signal }: LogTarget) => ({ timeoutMs, ...(signal && { signal }) });

/**
 * The API server passes on what the kubelet says, with the kubelet's code, or with 500 why it says nothing: that is the cluster's fault,
 * and not ours.
 */
async function explain(client: KubernetesClient, target: LogTarget, error: unknown): Promise<never> {
  const what = `log of container ${target.container} of pod ${target.namespace}/${target.pod}`;
  if (error instanceof ApiRefusal || error instanceof ApiServerError)
    throw refusedChannel(client.access, what, error.code, JSON.stringify(error.status));
  if (error instanceof ApiTimeout) throw await silence(client, what, limitsOf(target).timeoutMs);
  throw error;
}
