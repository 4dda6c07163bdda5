/**
 * One HTTP request on a connection of its own. Keep-alive would stick to one Pod behind a Service, so that the others are never asked.
 */
import { Client } from "undici";
import { reasonOf } from "./errors.ts";

export type Answer = { kind: "answered"; status: number; server: string; body: string; tookMs: number };
export type NoAnswer = { kind: "refused" | "timed out" | "unreachable" | "broken off"; detail: string; tookMs: number };

type Request = { method: "GET" | "HEAD"; path?: string; timeoutMs: number };

const kinds: Record<string, NoAnswer["kind"]> = {
  ECONNREFUSED: "refused",
  UND_ERR_CONNECT_TIMEOUT: "timed out",
  UND_ERR_HEADERS_TIMEOUT: "timed out",
  UND_ERR_BODY_TIMEOUT: "timed out",
  ETIMEDOUT: "timed out",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  ENOTFOUND: "unreachable",
  EAI_AGAIN: "unreachable",
};

/**
 * Asks once, and never throws for what the network does: refused, timed out and wrong are different findings.
 * @param origin such as http://192.0.2.1:30080; IPv6 addresses in brackets
 */
export async function probe(origin: string, { method, path = "/", timeoutMs }: Request): Promise<Answer | NoAnswer> {
  const client = new Client(origin, { connect: { timeout: timeoutMs }, headersTimeout: timeoutMs, bodyTimeout: timeoutMs, pipelining: 0 });
  const began = performance.now();
  const tookMs = () => Math.round(performance.now() - began);
  try {
    const response = await client.request({ method, path, reset: true, signal: AbortSignal.timeout(timeoutMs) });
    const body = await response.body.text();
    return { kind: "answered", status: response.statusCode, server: String(response.headers["server"] ?? ""), body, tookMs: tookMs() };
  } catch (error) {
    return { kind: kindOf(error), detail: reasonOf(error), tookMs: tookMs() };
  } finally {
    await client.destroy();
  }
}

function kindOf(error: unknown): NoAnswer["kind"] {
  if (!(error instanceof Error)) return "broken off";
  if (error.name === "TimeoutError") return "timed out";
  return kinds[(error as NodeJS.ErrnoException).code ?? ""] ?? "broken off";
}

/** `http://host:port`, with brackets where the host is an IPv6 address. */
export const originOf = (host: string, port: number): string => `http://${host.includes(":") ? `[${host}]` : host}:${port}`;

/** An answer in a phrase: `200 from nginx/1.27.0`, `refused after 3 ms (...)`. */
export function describeAnswer(answer: Answer | NoAnswer): string {
  if (answer.kind !== "answered") return `${answer.kind} after ${answer.tookMs} ms (${answer.detail})`;
  return `${answer.status} from ${answer.server || "a server that does not give its name"}`;
}
