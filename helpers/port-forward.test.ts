import { once } from "node:events";
import { connect, Server, type Socket } from "node:net";
import { expect, test, vi } from "vitest";
import type { WebSocket } from "ws";
import { startTestAPI, statusBody } from "./kubernetes-test-server.ts";
import { forwardPort } from "./port-forward.ts";

const target = { namespace: "smoke", pod: "nginx", port: 80 };

const send = (socket: WebSocket, channel: number, content: string | Buffer) =>
  socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(content)]));

/** Begins as the kubelet does, with the port's number on both channels, and hands over what comes. */
const speaking = (hear: (socket: WebSocket, text: string) => void) => (socket: WebSocket) => {
  for (const channel of [0, 1]) send(socket, channel, Buffer.from([80, 0]));
  socket.on("message", (data: Buffer) => hear(socket, data.subarray(1).toString("utf8")));
};
const echo = speaking((socket, text) => send(socket, 0, text));

const dial = async (port: number): Promise<Socket> => {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  await once(socket, "connect");
  return socket;
};

/** Everything that comes until the other side has no more to say. */
const everythingFrom = async (socket: Socket): Promise<string> => Buffer.concat(await socket.toArray()).toString("utf8");

test("several connections at once, each by a websocket of its own, get their own answers", async () => {
  const asked: (string | undefined)[] = [];
  await using api = await startTestAPI({
    speak: (socket, { url, headers }) => {
      asked.push(url, headers["sec-websocket-protocol"]);
      echo(socket);
    },
  });
  const { port, errors, close } = await forwardPort(api.client, target);
  const [one, two] = [await dial(port), await dial(port)];
  one.write("one");
  two.write("two");
  expect([String((await once(one, "data"))[0]), String((await once(two, "data"))[0])]).toEqual(["one", "two"]);
  const request = ["/api/v1/namespaces/smoke/pods/nginx/portforward?ports=80", "v4.channel.k8s.io"];
  expect(asked).toEqual([...request, ...request]);
  expect(errors).toEqual([]);
  one.destroy();
  two.destroy();
  await close();
});

test("what is sent before the websocket is open arrives", async () => {
  await using api = await startTestAPI({ speak: echo });
  const { port, close } = await forwardPort(api.client, target);
  const socket = connect(port, "127.0.0.1");
  socket.write("early");
  expect(String((await once(socket, "data"))[0])).toBe("early");
  await close();
});

test("when the Pod's side ends, the local connection ends, with the whole answer", async () => {
  const page = "x".repeat(500_000);
  await using api = await startTestAPI({
    speak: speaking((socket) => {
      send(socket, 0, page);
      socket.close(1000);
    }),
  });
  const { port, errors, close } = await forwardPort(api.client, target);
  const socket = await dial(port);
  socket.write("GET");
  expect(await everythingFrom(socket)).toBe(page);
  expect(errors).toEqual([]);
  socket.destroy();
  await close();
});

test("a client that has no more to say still gets its answer", async () => {
  await using api = await startTestAPI({
    speak: speaking((socket, text) => {
      setTimeout(() => {
        send(socket, 0, `answer to ${text}`);
        socket.close(1000);
      }, 100);
    }),
  });
  const { port, close } = await forwardPort(api.client, target);
  const socket = await dial(port);
  socket.end("question");
  expect(await everythingFrom(socket)).toBe("answer to question");
  await close();
});

test("what the cluster says of a connection that failed is kept, and the connection ends", async () => {
  await using api = await startTestAPI({
    speak: (socket) => {
      echo(socket);
      send(socket, 1, "error forwarding port 80: connection refused");
    },
  });
  const { port, errors, close } = await forwardPort(api.client, target);
  expect(await everythingFrom(await dial(port))).toBe("");
  expect(errors).toEqual(["port-forward to port 80 of pod smoke/nginx: error forwarding port 80: connection refused"]);
  await close();
});

test("a refusal of the websocket is kept, too", async () => {
  await using api = await startTestAPI({ refuse: () => statusBody(404, "NotFound", 'pods "nginx" not found') });
  const { port, errors, close } = await forwardPort(api.client, target);
  expect(await everythingFrom(await dial(port))).toBe("");
  expect(errors).toEqual(['port-forward to port 80 of pod smoke/nginx: refused with 404: pods "nginx" not found']);
  await close();
});

test("a connection to the cluster that is cut does not leave the client hanging", async () => {
  await using api = await startTestAPI({ speak: speaking(() => api.cut()) });
  const { port, errors, close } = await forwardPort(api.client, target);
  const socket = await dial(port);
  socket.write("GET");
  expect(await everythingFrom(socket)).toBe("");
  expect(errors).toEqual(["port-forward to port 80 of pod smoke/nginx: the connection to the cluster was lost"]);
  await close();
});

// Linux accepts none for a process that has no file descriptor left.
test("a connection that this machine cannot take is kept among the errors, and ends nothing", async () => {
  await using api = await startTestAPI({ speak: echo });
  const listen = vi.spyOn(Server.prototype, "listen");
  const { port, errors, close } = await forwardPort(api.client, target);
  const [server] = listen.mock.contexts;
  listen.mockRestore();
  (server as Server).emit("error", new Error("accept EMFILE"));
  expect(errors).toEqual([`port-forward to port 80 of pod smoke/nginx: 127.0.0.1:${port} could not take a connection: accept EMFILE`]);
  await close();
});

test("after closing nothing listens and nothing is open, whatever was under way", async () => {
  let upgrades = 0;
  await using api = await startTestAPI({ speak: echo });
  await using hanging = await startTestAPI({ upgrade: () => (upgrades += 1) });
  const [forward, stuck] = [await forwardPort(api.client, target), await forwardPort(hanging.client, target)];
  const [idle, waiting] = [await dial(forward.port), await dial(stuck.port)];
  idle.write("hello");
  await once(idle, "data");
  await expect.poll(() => upgrades).toBe(1);
  await Promise.all([forward.close(), stuck.close()]);
  await expect(dial(forward.port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  await expect(dial(stuck.port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  await expect.poll(() => api.open() + hanging.open()).toBe(0);
  expect([...forward.errors, ...stuck.errors]).toEqual([]);
  idle.destroy();
  waiting.destroy();
});
