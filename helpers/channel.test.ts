import { createHash } from "node:crypto";
import { createServer, type AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { openChannel } from "./channel.ts";
import { KubernetesClient } from "./kubernetes.ts";
import { startTestAPI, statusBody } from "./kubernetes-test-server.ts";

const opening = {
  what: "exec in pod smoke/nginx",
  path: "/exec",
  query: [],
  protocols: ["v5.channel.k8s.io"],
  timeoutMs: 2_000,
  onFrame: () => undefined,
};

test.each([
  [
    403,
    statusBody(403, "Forbidden", 'pods "nginx" is forbidden: User "eve" cannot create resource "pods/exec"'),
    "InconclusiveError",
    'resource "pods/exec". It needs the verb create, and before Kubernetes 1.35 get.',
  ],
  [401, statusBody(401, "Unauthorized", "Unauthorized"), "InconclusiveError", 'does not accept the credentials of user "admin"'],
  [
    403,
    statusBody(403, "Forbidden", "Forbidden (user=kubernetes, verb=create, resource=nodes, subresource=proxy)"),
    "ConformanceError",
    "user=kubernetes",
  ],
  [401, { code: 401, body: "Unauthorized" }, "ConformanceError", "refused with 401: Unauthorized"],
  [401, { code: 401, body: "unable to upgrade connection: Unauthorized" }, "ConformanceError", "refused with 401: unable to upgrade"],
  [404, { code: 404, body: "unable to upgrade connection: pod does not exist" }, "ConformanceError", "pod does not exist"],
  [405, { code: 405, body: "Debug endpoints are disabled." }, "ConformanceError", "refused with 405: Debug endpoints are disabled."],
  [
    500,
    statusBody(500, "", "error dialing backend: dial tcp 10.0.0.20:10250: i/o timeout"),
    "ConformanceError",
    "error dialing backend: dial tcp",
  ],
  [502, { code: 502, body: "" }, "ConformanceError", "refused with 502: no reason given"],
])("a refusal with %i is quoted, and judged by who refused (case %$)", async (_code, refusal, name, words) => {
  await using api = await startTestAPI({ refuse: () => refusal });
  await expect(openChannel(api.client, opening)).rejects.toMatchObject({
    name,
    message: expect.stringContaining(`exec in pod smoke/nginx: `),
  });
  await expect(openChannel(api.client, opening)).rejects.toThrow(words);
});

test("frames that come in one packet with the consent are heard", async () => {
  await using api = await startTestAPI({
    upgrade: ({ headers }, socket) => {
      // RFC 6455, 1.3: how a server shows that it has understood the handshake.
      const accept = createHash("sha1").update(`${headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
      const consent = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", `Sec-WebSocket-Accept: ${accept}`];
      consent.push(`Sec-WebSocket-Protocol: ${headers["sec-websocket-protocol"]}`, "", "");
      const binaryFrame = [0x82, 6, 1, ...Buffer.from("early")];
      socket.write(Buffer.concat([Buffer.from(consent.join("\r\n")), Buffer.from(binaryFrame)]));
    },
  });
  const frames: [number, string][] = [];
  const socket = await openChannel(api.client, { ...opening, onFrame: (channel, content) => frames.push([channel, content.toString()]) });
  await expect.poll(() => frames).toEqual([[1, "early"]]);
  socket.terminate();
});

test("an upgrade that hangs is the cluster's fault if the API answers otherwise, and ours to reach it if not", async () => {
  await using waiting = await startTestAPI({ upgrade: () => undefined, answer: () => ({ code: 200, body: {} }) });
  await expect(openChannel(waiting.client, { ...opening, timeoutMs: 100 })).rejects.toMatchObject({
    name: "ConformanceError",
    message: expect.stringMatching(/^exec in pod smoke\/nginx: no answer within 0\.1 s, though .* answers other requests/),
  });
  await using cutting = await startTestAPI({
    upgrade: () => undefined,
    answer: () => {
      cutting.cut();
      return undefined;
    },
  });
  await expect(openChannel(cutting.client, { ...opening, timeoutMs: 100 })).rejects.toMatchObject({ name: "InconclusiveError" });
});

test("a connection that is cut in the handshake, and a server that is not there, are inconclusive", async () => {
  await using api = await startTestAPI({ upgrade: (_request, socket) => socket.destroy() });
  await expect(openChannel(api.client, opening)).rejects.toMatchObject({
    name: "InconclusiveError",
    message: expect.stringContaining(api.access.server),
  });
  const closed = createServer();
  await new Promise<void>((resolve) => void closed.listen(0, "127.0.0.1", resolve));
  const server = `https://127.0.0.1:${(closed.address() as AddressInfo).port}`;
  await new Promise((resolve) => void closed.close(resolve));
  const client = new KubernetesClient({ ...api.access, server });
  await expect(openChannel(client, opening)).rejects.toThrow(`exec in pod smoke/nginx: API server ${server}: connection refused`);
  await client.close();
});

test("the signal cuts it off, in the handshake and later, and nothing stays open", async () => {
  await using api = await startTestAPI({ upgrade: () => undefined });
  const early = new AbortController();
  setTimeout(() => early.abort(new Error("the run ended")), 50);
  await expect(openChannel(api.client, { ...opening, signal: early.signal })).rejects.toThrow("called off: the run ended.");
  await expect.poll(api.open).toBe(0);

  await using speaking = await startTestAPI({});
  const late = new AbortController();
  const socket = await openChannel(speaking.client, { ...opening, signal: late.signal });
  late.abort();
  await expect.poll(() => socket.readyState).toBe(socket.CLOSED);
  await expect.poll(speaking.open).toBe(0);
});

test("a proxy, through which it cannot go, is said", async () => {
  await using api = await startTestAPI({});
  const client = new KubernetesClient({ ...api.access, proxyURL: "http://eve:password@127.0.0.1:3128" });
  await expect(openChannel(client, opening)).rejects.toMatchObject({
    name: "InconclusiveError",
    message: expect.stringMatching(/^(?!.*password).*proxy-url/),
  });
  await client.close();
});
