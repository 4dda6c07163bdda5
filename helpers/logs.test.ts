import { expect, test } from "vitest";
import { startTestAPI, statusBody } from "./kubernetes-test-server.ts";
import { followLog, readLog } from "./logs.ts";

const target = { namespace: "smoke", pod: "nginx", container: "web" };

test("a log is read as it is", async () => {
  const asked: (string | undefined)[] = [];
  await using api = await startTestAPI({
    answer: ({ url }) => {
      asked.push(url);
      return { code: 200, body: "one\ntwo\n" };
    },
  });
  expect(await readLog(api.client, target)).toBe("one\ntwo\n");
  await readLog(api.client, { ...target, tailLines: 5 });
  await readLog(api.client, { ...target, previous: true });
  const path = "/api/v1/namespaces/smoke/pods/nginx/log?container=web";
  expect(asked).toEqual([path, `${path}&tailLines=5`, `${path}&previous=true`]);
});

test.each([
  [403, "Forbidden (user=kubernetes, verb=get, resource=nodes, subresource=proxy) ( pods/log nginx)", "ConformanceError"],
  [401, "the server has asked for the client to provide credentials ( pods/log nginx)", "ConformanceError"],
  [400, 'container "web" in pod "nginx" is waiting to start: ContainerCreating', "ConformanceError"],
  [500, 'Get "https://node-0:10250/containerLogs/smoke/nginx/web": dial tcp: lookup node-0: no such host', "ConformanceError"],
  [403, 'pods "nginx" is forbidden: User "eve" cannot get resource "pods/log"', "InconclusiveError"],
  [401, "Unauthorized", "InconclusiveError"],
])("a refusal with %i is judged by who refused: %s", async (code, message, name) => {
  await using api = await startTestAPI({ answer: () => statusBody(code, code === 401 ? "Unauthorized" : "", message) });
  const said = code === 401 && name === "InconclusiveError" ? "does not accept the credentials" : message;
  const matching = { name, message: expect.stringMatching(/^log of container web of pod smoke\/nginx: /) };
  await expect(readLog(api.client, target)).rejects.toMatchObject(matching);
  await expect(readLog(api.client, target)).rejects.toThrow(said);
  await expect(followLog(api.client, { ...target, signal: new AbortController().signal })).rejects.toMatchObject(matching);
});

test("a log that the kubelet does not bring is the cluster's fault if the API answers otherwise", async () => {
  await using api = await startTestAPI({ answer: ({ url }) => (url === "/version" ? { code: 200, body: {} } : undefined) });
  await expect(readLog(api.client, { ...target, timeoutMs: 100 })).rejects.toMatchObject({
    name: "ConformanceError",
    message: expect.stringContaining("log of container web of pod smoke/nginx: no answer within 0.1 s, though"),
  });
});

test("lines are followed as they are written, also when they come in pieces, and breaking off ends the request", async () => {
  let ended = false;
  await using api = await startTestAPI({
    answer: (_request, _body, response) => {
      response.on("close", () => (ended = true));
      const [head, tail] = [Buffer.from("first\nsec").subarray(0), Buffer.from("ond é\nthird\n")];
      response.write(head);
      setTimeout(() => response.write(tail.subarray(0, 5)), 20);
      setTimeout(() => response.write(tail.subarray(5)), 40);
      return undefined;
    },
  });
  const lines: string[] = [];
  for await (const line of await followLog(api.client, { ...target, signal: new AbortController().signal })) {
    if (lines.push(line) === 3) break;
  }
  expect(lines).toEqual(["first", "second é", "third"]);
  await expect.poll(() => ended).toBe(true);
});

test("the signal ends following, at rest or unheard, and a quiet log is not cut off", async () => {
  await using api = await startTestAPI({
    answer: (_request, _body, response) => {
      response.writeHead(200).write("only\n");
      return undefined;
    },
  });
  const [heard, unheard] = [new AbortController(), new AbortController()];
  await followLog(api.client, { ...target, signal: unheard.signal });
  const following = await followLog(api.client, { ...target, timeoutMs: 100, signal: heard.signal });
  const lines: string[] = [];
  const began = performance.now();
  setTimeout(() => unheard.abort(), 20);
  setTimeout(() => heard.abort(), 300);
  for await (const line of following) lines.push(line);
  expect(lines).toEqual(["only"]);
  expect(performance.now() - began).toBeGreaterThan(250);
});

test("a connection that is cut ends following without an exception, with what was begun, whether anybody listens or not", async () => {
  await using api = await startTestAPI({
    answer: (_request, _body, response) => {
      response.write("whole\nha");
      setTimeout(() => api.cut(), 50);
      return undefined;
    },
  });
  const { signal } = new AbortController();
  const [heard] = [await followLog(api.client, { ...target, signal }), await followLog(api.client, { ...target, signal })];
  const lines: string[] = [];
  for await (const line of heard) lines.push(line);
  expect(lines).toEqual(["whole", "ha"]);
});
