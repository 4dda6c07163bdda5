import { once } from "node:events";
import { createServer as createProxy } from "node:http";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { expect, test } from "vitest";
import type { ClusterAccess } from "./kubeconfig.ts";
import { ApiRefusal, ApiServerError, isForbidden, isNotFound, KubernetesClient } from "./kubernetes.ts";
import { startTestAPI, statusBody } from "./kubernetes-test-server.ts";
import { newCertificate } from "./test-certificates.ts";

const failure = async (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.fail("it did not fail"),
    (error: Error) => error,
  );

test("many requests at once use one connection, over HTTP/2, with the client certificate", async () => {
  const seen = new Set<string>();
  await using api = await startTestAPI({
    answer: (request) => {
      const peer =
        "getPeerCertificate" in request.socket
          ? (request.socket as never as { getPeerCertificate(): { subject: { CN: string } } })
          : undefined;
      seen.add(`${request.httpVersion} ${peer?.getPeerCertificate().subject.CN}`);
      return { code: 200, body: { path: request.url } };
    },
  });
  await api.client.get("/version");
  const answers = await Promise.all(Array.from({ length: 30 }, (_, index) => api.client.get<{ path: string }>(`/${index}`)));
  expect(answers.map(({ path }) => path)).toEqual(Array.from({ length: 30 }, (_, index) => `/${index}`));
  expect(api.connections()).toBeLessThanOrEqual(10);
  expect([...seen]).toEqual(["1.1 admin"]);
});

test("each verb sends what the API expects of it", async () => {
  const heard: unknown[] = [];
  await using api = await startTestAPI({
    answer: ({ method, url, headers }, body) => {
      heard.push([method, url, headers["content-type"], body && JSON.parse(body)]);
      return { code: 200, body: { items: [{ metadata: { name: "one" } }] } };
    },
  });
  const { client } = api;
  expect(await client.list("/pods", { query: { labelSelector: "app=nginx,tier in (a, b)" } })).toEqual([{ metadata: { name: "one" } }]);
  await client.create("/pods", { kind: "Pod" });
  await client.patch("/pods/one", { spec: {} });
  await client.delete("/pods/one", { uid: "u-1" });
  await client.delete("/pods/one", { uid: "u-1", propagationPolicy: "Background" });
  expect(heard).toEqual([
    ["GET", "/pods?labelSelector=app%3Dnginx%2Ctier+in+%28a%2C+b%29", undefined, ""],
    ["POST", "/pods", "application/json", { kind: "Pod" }],
    ["PATCH", "/pods/one", "application/merge-patch+json", { spec: {} }],
    ["DELETE", "/pods/one", "application/json", { preconditions: { uid: "u-1" } }],
    ["DELETE", "/pods/one", "application/json", { preconditions: { uid: "u-1" }, propagationPolicy: "Background" }],
  ]);
});

test("a list without items, which the API writes as null, is empty", async () => {
  await using api = await startTestAPI({ answer: () => ({ code: 200, body: { items: null } }) });
  expect(await api.client.list("/pods")).toEqual([]);
});

test.each([
  [403, "Forbidden", 'pods "nginx" is forbidden: exceeded quota: none', "InconclusiveError", ApiRefusal],
  [404, "NotFound", 'pods "x" not found', "InconclusiveError", ApiRefusal],
  [409, "AlreadyExists", 'pods "x" already exists', "InconclusiveError", ApiRefusal],
  [409, "Conflict", "the UID in the precondition does not match", "InconclusiveError", ApiRefusal],
  [302, "Found", "go elsewhere", "InconclusiveError", ApiRefusal],
  [500, "InternalError", "etcdserver: request timed out", "ConformanceError", ApiServerError],
] as const)("%i %s keeps the server's words, and is told by its verdict", async (code, reason, message, name, type) => {
  await using api = await startTestAPI({ answer: () => statusBody(code, reason, message) });
  const error = await failure(api.client.get("/api/v1/pods"));
  expect(error).toBeInstanceOf(type);
  expect(error).toMatchObject({ name, code, reason, status: { reason, message } });
  expect(error.message).toBe(`API server ${api.access.server}: GET /api/v1/pods answered ${code}: ${message}`);
  expect([isNotFound(error), isForbidden(error)]).toEqual([code === 404, code === 403]);
});

test("a refusal that is no Status is quoted as it is", async () => {
  await using api = await startTestAPI({ answer: () => ({ code: 503, body: "<html>no backend</html>" }) });
  expect((await failure(api.client.get("/x"))).message).toContain("answered 503: <html>no backend</html>");
});

test("what is not JSON is not taken for an API", async () => {
  await using api = await startTestAPI({ answer: () => ({ code: 200, body: "<html>router</html>" }) });
  const error = await failure(api.client.get("/x"));
  expect(error).toMatchObject({ name: "InconclusiveError", message: expect.stringContaining("what came is not JSON") });
});

test("a server that hangs ends at the deadline, and the next request is answered", async () => {
  await using api = await startTestAPI({ answer: ({ url }) => (url === "/hang" ? undefined : { code: 200, body: {} }) });
  const error = await failure(api.client.get("/hang", { timeoutMs: 100 }));
  expect(error).toMatchObject({
    name: "InconclusiveError",
    message: expect.stringContaining("GET /hang was not answered: no answer within 0.1 s."),
  });
  expect(await api.client.get("/other")).toEqual({});
});

test("a server that takes connections and does not even get through TLS hangs, too", async () => {
  await using api = await startTestAPI({});
  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const client = new KubernetesClient({ ...api.access, server: `https://127.0.0.1:${(silent.address() as AddressInfo).port}` });
  const error = await failure(client.get("/readyz"));
  expect(error).toMatchObject({
    name: "InconclusiveError",
    message: expect.stringContaining("GET /readyz was not answered: it takes connections, and does no more. Does kube-apiserver hang?"),
  });
  await client.close();
  silent.close();
});

test("a body that never ends, too", async () => {
  await using api = await startTestAPI({
    answer: (_request, _body, response) => {
      response.write("{");
      return undefined;
    },
  });
  expect((await failure(api.client.get("/x", { timeoutMs: 100 }))).message).toContain("no answer within 0.1 s");
});

test("a request that is called off says why", async () => {
  await using api = await startTestAPI({});
  const error = await failure(api.client.get("/x", { signal: AbortSignal.timeout(50) }));
  expect(error.message).toContain("called off: The operation was aborted due to timeout");
});

test("a connection that is cut fails the request in one sentence, and is made anew for the next", async () => {
  await using api = await startTestAPI({
    answer: ({ url }) => {
      if (url !== "/cut") return { code: 200, body: {} };
      api.cut();
      return undefined;
    },
  });
  const error = await failure(api.client.get("/cut"));
  expect(error).toMatchObject({ name: "InconclusiveError", message: expect.stringContaining("Did kube-apiserver just stop?") });
  expect(await api.client.get("/next")).toEqual({});
});

/** What a client with another access is told when it asks. */
const messageFor = async (access: ClusterAccess): Promise<string> => {
  const client = new KubernetesClient(access);
  const { message } = await failure(client.get("/x", { timeoutMs: 1_000 }));
  await client.close();
  return message;
};

const listening = async (server: Server): Promise<number> => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as AddressInfo).port;
};

test("nobody listening, no such name and no TLS are told apart", async () => {
  await using api = await startTestAPI({});
  const [plain, closed] = [
    createServer((socket) => socket.on("error", () => undefined).end("HTTP/1.1 400 Bad Request\r\n\r\n")),
    createServer(),
  ];
  const [plainPort, closedPort] = [await listening(plain), await listening(closed)];
  closed.close();
  const refused = await messageFor({ ...api.access, server: `https://127.0.0.1:${closedPort}` });
  expect(refused).toContain("connection refused. Is kube-apiserver running there");
  expect(refused).toContain(`curl --insecure https://127.0.0.1:${closedPort}/readyz`);
  expect(await messageFor({ ...api.access, server: "https://server.invalid:6443" })).toContain("its name does not resolve");
  expect(await messageFor({ ...api.access, server: `https://127.0.0.1:${plainPort}` })).toContain("it does not speak TLS");
  plain.close();
});

test("a certificate of another authority, or for another name, is refused and explained", async () => {
  const issuer = newCertificate({ commonName: "kubernetes" });
  await using strange = await startTestAPI({ certificate: newCertificate({ commonName: "s", subjectAltName: "IP:127.0.0.1", issuer }) });
  expect(await messageFor(strange.access)).toContain(
    "its certificate is not from the kubeconfig's certificate-authority. Was the cluster built anew?",
  );
  const careless = { ...strange.access.tls, rejectUnauthorized: false };
  expect(await messageFor({ ...strange.access, tls: careless })).toContain("no answer within 1 s");

  await using selfSigned = await startTestAPI({ certificate: newCertificate({ commonName: "s", subjectAltName: "IP:127.0.0.1" }) });
  expect(await messageFor(selfSigned.access)).toContain("its certificate is self-signed");

  await using api = await startTestAPI({});
  const tls = { ...api.access.tls, servername: "server.kubernetes.local" };
  expect(await messageFor({ ...api.access, tls: { ca: api.access.tls.ca, rejectUnauthorized: true } })).toContain(
    "the connection was closed",
  );
  expect(await messageFor({ ...api.access, tls })).toMatch(/its certificate is for another name.*IP Address:127\.0\.0\.1, DNS:kubernetes/);
});

test("a proxy is used", async () => {
  const asked: string[] = [];
  const proxy = createProxy();
  proxy.on("connect", (request, socket, head) => {
    asked.push(request.url ?? "");
    const [host, port] = (request.url ?? "").split(":");
    const onward = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [socket, onward]) end.on("error", () => undefined);
  });
  await using api = await startTestAPI({ answer: () => ({ code: 200, body: { proxied: true } }) });
  const client = new KubernetesClient({ ...api.access, proxyURL: `http://127.0.0.1:${await listening(proxy)}` });
  expect(await client.get("/x")).toEqual({ proxied: true });
  expect(asked).toEqual([new URL(api.access.server).host]);
  await client.close();
  proxy.close();
});
