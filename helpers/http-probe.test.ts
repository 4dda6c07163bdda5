import { once } from "node:events";
import { createServer as createHTTPServer, type RequestListener } from "node:http";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { expect, test } from "vitest";
import { describeAnswer, originOf, probe } from "./http-probe.ts";

type Started = { origin: string; connections: () => number; open: () => number; [Symbol.asyncDispose](): Promise<void> };

async function start(server: Server): Promise<Started> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket.on("error", () => undefined).on("close", () => sockets.delete(socket)));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    origin: originOf("127.0.0.1", (server.address() as AddressInfo).port),
    connections: () => connections,
    open: () => sockets.size,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}

const http = (answer: RequestListener) => start(createHTTPServer(answer));
const tcp = (speak: (socket: Socket) => void) => start(createServer(speak));
const get = { method: "GET", timeoutMs: 2_000 } as const;

test("an answer has its status, its server and its body, whatever the status is", async () => {
  const asked: unknown[] = [];
  await using server = await http((request, response) => {
    asked.push([request.method, request.url]);
    response.writeHead(404, { server: "nginx/1.27.0" }).end("not here");
  });

  const answer = await probe(server.origin, { ...get, path: "/smoke-1" });

  expect(answer).toMatchObject({ kind: "answered", status: 404, server: "nginx/1.27.0", body: "not here" });
  expect(answer.tookMs).toBeLessThan(2_000);
  expect(asked).toEqual([["GET", "/smoke-1"]]);
});

test("HEAD brings no body, and a server need not give its name", async () => {
  await using server = await http((_request, response) => void response.writeHead(200, { "content-length": 5 }).end());
  expect(await probe(server.origin, { method: "HEAD", timeoutMs: 2_000 })).toMatchObject({
    kind: "answered",
    status: 200,
    server: "",
    body: "",
  });
});

test("a redirect is an answer, and is not followed", async () => {
  await using server = await http((_request, response) => void response.writeHead(302, { location: "/elsewhere" }).end());
  expect(await probe(server.origin, get)).toMatchObject({ kind: "answered", status: 302 });
  expect(server.connections()).toBe(1);
});

test("every request comes on a connection of its own, which is closed with it", async () => {
  await using server = await http((_request, response) => void response.end("ok"));
  for (let request = 0; request < 3; request += 1) await probe(server.origin, get);
  expect(server.connections()).toBe(3);
  await expect.poll(server.open).toBe(0);
});

test("nobody listening is refused", async () => {
  const gone = await tcp(() => undefined);
  await gone[Symbol.asyncDispose]();
  expect(await probe(gone.origin, get)).toMatchObject({
    kind: "refused",
    detail: expect.stringContaining("connect ECONNREFUSED 127.0.0.1:"),
  });
});

test.for([
  ["that never answers", () => undefined],
  ["whose body never ends", (socket: Socket) => void socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nbegun")],
] as const)("a server %s is timed out, at the deadline", async ([_what, speak]) => {
  await using server = await tcp((socket) => void socket.once("data", () => speak(socket)));
  const answer = await probe(server.origin, { method: "GET", timeoutMs: 200 });
  expect(answer).toMatchObject({ kind: "timed out" });
  expect(answer.tookMs).toBeGreaterThanOrEqual(190);
  expect(answer.tookMs).toBeLessThan(2_000);
  await expect.poll(server.open).toBe(0);
});

test.for([
  ["closed before the answer", (socket: Socket): void => void socket.end()],
  ["reset", (socket: Socket): void => void socket.resetAndDestroy()],
  ["cut within the body", (socket: Socket): void => void socket.end("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nbegun")],
  ["answered in another language", (socket: Socket): void => void socket.end("SSH-2.0-OpenSSH_9.2\r\n")],
] as const)("a connection that is %s is broken off", async ([_what, speak]) => {
  await using server = await tcp((socket) => void socket.once("data", () => speak(socket)));
  const answer = await probe(server.origin, get);
  expect(answer).toMatchObject({ kind: "broken off", detail: expect.stringMatching(/./) });
});

test("a name that does not resolve is unreachable", async () => {
  expect(await probe("http://node-0.invalid:80", get)).toMatchObject({
    kind: "unreachable",
    detail: expect.stringContaining("node-0.invalid"),
  });
});

test("an origin has brackets around IPv6 addresses only", () => {
  expect(originOf("192.0.2.1", 30080)).toBe("http://192.0.2.1:30080");
  expect(originOf("node-0", 80)).toBe("http://node-0:80");
  expect(originOf("fd00::20", 30080)).toBe("http://[fd00::20]:30080");
});

test("an answer is described by what came, and none by what happened and when", () => {
  const answered = { kind: "answered", status: 200, server: "nginx/1.27.0", body: "", tookMs: 3 } as const;
  expect(describeAnswer(answered)).toBe("200 from nginx/1.27.0");
  expect(describeAnswer({ ...answered, status: 502, server: "" })).toBe("502 from a server that does not give its name");
  expect(describeAnswer({ kind: "refused", detail: "connect ECONNREFUSED", tookMs: 3 })).toBe("refused after 3 ms (connect ECONNREFUSED)");
});
