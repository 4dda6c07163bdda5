/**
 * The Kubernetes API as the suite uses it: JSON over a few connections that are kept, with errors that are sentences and know which
 * verdict they mean. The types are those of @kubernetes/client-node, whose generated client opens a connection for each call and drops the
 * server's own words. What comes back is the API's own JSON: where those types say Date, it holds a string.
 */
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { createSecureContext } from "node:tls";
import { Agent, ProxyAgent, type Dispatcher } from "undici";
import { ApiRefusal, ApiServerError, ApiTimeout, refusalOf } from "./api-errors.ts";
import { requestWhenFree } from "./busy-server.ts";
import { InconclusiveError, reasonOf } from "./errors.ts";
import type { ClusterAccess } from "./kubeconfig.ts";
import { hangs, networkReason } from "./network-reason.ts";

export { ApiRefusal, ApiServerError, isForbidden, isNotFound } from "./api-errors.ts";

type Method = "GET" | "POST" | "PATCH" | "DELETE";
type Query = Readonly<Record<string, string | number | boolean>>;
type Options = { query?: Query; signal?: AbortSignal; timeoutMs?: number };
type Deletion = { uid: string; propagationPolicy?: "Background" };
type Body = { content: object; type: string };

const requestTimeoutMs = 10_000;
/** Below the deadline of a request, so that a host that is away is told apart from one that hangs. */
const connectTimeoutMs = 3_000;
/** Logs that are followed keep one each. */
const connectionsAtMost = 10;

export class KubernetesClient {
  readonly access: ClusterAccess;
  /** Opens the websockets that go beside the requests. It resumes TLS sessions, as the requests do: whole handshakes take their time. */
  readonly websocketAgent: HttpAgent;
  readonly #dispatcher: Dispatcher;

  constructor(access: ClusterAccess) {
    this.access = access;
    const { ca, cert, key, ...verification } = access.tls;
    // Read once, and not again with each connection.
    const secured = { ...definedOf(verification), secureContext: createSecureContext(definedOf({ ca, cert, key })) };
    this.websocketAgent = access.server.startsWith("https:") ? new HttpsAgent(secured) : new HttpAgent();
    const tls = { ...secured, timeout: connectTimeoutMs };
    // Over HTTP/2 an API server ends connections by GOAWAY, as with --goaway-chance or a certificate that has run out, and undici lets the
    // requests on them fail without the server's words.
    const common = { allowH2: false, connections: connectionsAtMost };
    this.#dispatcher =
      access.proxyURL === undefined
        ? new Agent({ ...common, connect: tls })
        : new ProxyAgent({ ...common, uri: access.proxyURL, requestTls: tls });
  }

  /** @throws ApiRefusal, ApiServerError, or InconclusiveError when the server cannot be reached; so do all the others */
  async get<Kind>(path: string, options: Options = {}): Promise<Kind> {
    return this.#json<Kind>("GET", path, options);
  }

  /** The items of a collection. Those of a list name neither their kind nor their apiVersion; the API leaves that to the list. */
  async list<Kind>(path: string, options: Options = {}): Promise<Kind[]> {
    return (await this.#json<{ items: Kind[] | null }>("GET", path, options)).items ?? [];
  }

  async create<Kind>(path: string, content: object, options: Options = {}): Promise<Kind> {
    return this.#json<Kind>("POST", path, options, { content, type: "application/json" });
  }

  /** A merge patch: what is named is set, the rest stays. */
  async patch<Kind>(path: string, content: object, options: Options = {}): Promise<Kind> {
    return this.#json<Kind>("PATCH", path, options, { content, type: "application/merge-patch+json" });
  }

  /** Deletes the object that has this UID; a namesake of another UID is left alone, and answers 409. */
  async delete(path: string, { uid, propagationPolicy, ...options }: Options & Deletion): Promise<void> {
    const content = definedOf({ preconditions: { uid }, propagationPolicy });
    await this.#json("DELETE", path, options, { content, type: "application/json" });
  }

  /** What is not JSON: a log. */
  async text(path: string, options: Options = {}): Promise<string> {
    return this.#ask("GET", path, options, undefined, async ({ body }) => body.text());
  }

  /** A body that is still being written, such as a log that is followed. The deadline is for its beginning; it ends with the signal. */
  async stream(path: string, options: Options & { signal: AbortSignal }): Promise<AsyncIterable<Buffer>> {
    return this.#ask("GET", path, options, undefined, async ({ body }) => body);
  }

  /** Ends every connection, and what is still under way on them. */
  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  async #json<Kind>(method: Method, path: string, options: Options, body?: Body): Promise<Kind> {
    return this.#ask(method, path, options, body, async (response) => (await response.body.json()) as Kind);
  }

  async #ask<Answer>(
    method: Method,
    path: string,
    { query, signal, timeoutMs = requestTimeoutMs }: Options,
    body: Body | undefined,
    read: (response: Dispatcher.ResponseData) => Promise<Answer>,
  ): Promise<Answer> {
    const asked = `${method} ${path}`;
    const authorization = await this.access.authorization();
    const deadline = new AbortController();
    const endsAt = Date.now() + timeoutMs;
    const timer = setTimeout(() => deadline.abort(), timeoutMs);
    try {
      const options = {
        method,
        headers: { accept: "application/json, */*", ...(authorization && { authorization }), ...(body && { "content-type": body.type }) },
        dispatcher: this.#dispatcher,
        bodyTimeout: 0,
        headersTimeout: 0,
        signal: AbortSignal.any([deadline.signal, ...(signal ? [signal] : [])]),
        ...(body && { body: JSON.stringify(body.content) }),
      };
      const response = await requestWhenFree(urlOf(this.access.server, path, query), options, endsAt);
      if (response.statusCode >= 300) throw refusalOf(this.access, asked, response.statusCode, await response.body.text());
      return await read(response);
    } catch (error) {
      if (error instanceof ApiServerError || error instanceof ApiRefusal) throw error;
      const { server, contextName } = this.access;
      const unanswered = `API server ${server}: ${asked} was not answered: `;
      const byHand = [`kubectl --context ${contextName} get --raw /readyz`, `curl --insecure ${server}/readyz`];
      const details = { cause: error, byHand };
      if (deadline.signal.aborted)
        throw new ApiTimeout(`${unanswered}no answer within ${timeoutMs / 1000} s. Does kube-apiserver hang?`, details);
      if (this.access.proxyURL === undefined && (await hangs(error, server)))
        throw new InconclusiveError(`${unanswered}it takes connections, and does no more. Does kube-apiserver hang?`, details);
      const reason = signal?.aborted ? `called off: ${reasonOf(signal.reason)}.` : networkReason(error);
      throw new InconclusiveError(`${unanswered}${reason}`, details);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A path of the API as an address. */
export function urlOf(server: string, path: string, query: Query = {}): string {
  const url = new URL(`${server}${path}`);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  return url.href;
}

/** Without the options that are undefined, which node:tls takes for given. */
const definedOf = <Given extends object>(options: Given): { [Name in keyof Given]: NonNullable<Given[Name]> } =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
