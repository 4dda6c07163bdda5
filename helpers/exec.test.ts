import { expect, test } from "vitest";
import type { WebSocket } from "ws";
import { exec, openShell } from "./exec.ts";
import { startTestAPI } from "./kubernetes-test-server.ts";

const target = { namespace: "smoke", pod: "nginx", container: "web", command: ["sh", "-c", "true"], timeoutMs: 2_000 };
const success = { status: "Success" };
const failed = (code: number) => ({
  status: "Failure",
  reason: "NonZeroExitCode",
  message: `command terminated with non-zero exit code: exit status ${code}`,
  details: { causes: [{ reason: "ExitCode", message: String(code) }] },
});

const send = (socket: WebSocket, channel: number, content: string | Buffer) =>
  socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(content)]));
const finish = (socket: WebSocket, status: object) => {
  send(socket, 3, JSON.stringify(status));
  socket.close();
};

test("stdout, stderr and the exit code come back apart, and the request asks for just that", async () => {
  const asked: string[] = [];
  await using api = await startTestAPI({
    speak: (socket, { url, headers }) => {
      asked.push(url ?? "", headers["sec-websocket-protocol"] ?? "");
      // A character cut in two by a frame's end.
      send(socket, 1, Buffer.from("é").subarray(0, 1));
      send(socket, 1, Buffer.from("é").subarray(1));
      send(socket, 2, "oh no\n");
      finish(socket, failed(7));
    },
  });
  expect(await exec(api.client, target)).toEqual({ exitCode: 7, stdout: "é", stderr: "oh no\n" });
  expect(asked).toEqual([
    "/api/v1/namespaces/smoke/pods/nginx/exec?container=web&stdout=true&stderr=true&stdin=false&tty=false&command=sh&command=-c&command=true",
    "v5.channel.k8s.io,v4.channel.k8s.io",
  ]);
});

test("success is exit code 0", async () => {
  await using api = await startTestAPI({ speak: (socket) => finish(socket, success) });
  expect(await exec(api.client, target)).toEqual({ exitCode: 0, stdout: "", stderr: "" });
});

test("standard input is sent, and ended, by the protocol that can", async () => {
  const protocols: (string | undefined)[] = [];
  await using api = await startTestAPI({
    speak: (socket, { headers }) => {
      protocols.push(headers["sec-websocket-protocol"]);
      socket.on("message", (data: Buffer) => {
        if (data[0] === 0) send(socket, 1, data.subarray(1));
        if (data.equals(Buffer.from([255, 0]))) finish(socket, success);
      });
    },
  });
  expect(await exec(api.client, { ...target, stdin: "hello" })).toEqual({ exitCode: 0, stdout: "hello", stderr: "" });
  expect(protocols).toEqual(["v5.channel.k8s.io,v4.channel.k8s.io"]);
});

test("an API server before 1.30 takes standard input, and cannot be told of its end: a terminal needs no telling", async () => {
  await using api = await startTestAPI({ protocol: "v4.channel.k8s.io", speak: (socket) => finish(socket, success) });
  await expect(exec(api.client, { ...target, stdin: "hello" })).rejects.toMatchObject({
    name: "InconclusiveError",
    message: expect.stringContaining("speaks v4.channel.k8s.io, in which the end of standard input cannot be told"),
  });
  expect(await exec(api.client, target)).toMatchObject({ exitCode: 0 });
  const shell = await openShell(api.client, target);
  expect(await shell.exitCode).toBe(0);
});

test("a command that cannot be run is the cluster's failure, in its own words", async () => {
  const message =
    "Internal error occurred: unable to upgrade connection: Forbidden (user=kubernetes, verb=create, resource=nodes, subresource=proxy)";
  await using api = await startTestAPI({
    speak: (socket) => finish(socket, { status: "Failure", reason: "InternalError", code: 500, message }),
  });
  await expect(exec(api.client, target)).rejects.toMatchObject({
    name: "ConformanceError",
    message: `exec of "sh -c true" in container web of pod smoke/nginx: could not be run: ${message}`,
  });
});

test("an end without a status is a failure, and shows what was said before", async () => {
  await using api = await startTestAPI({
    speak: (socket) => {
      send(socket, 1, "half a li");
      setTimeout(() => api.cut(), 50);
    },
  });
  await expect(exec(api.client, target)).rejects.toMatchObject({
    name: "ConformanceError",
    message: expect.stringMatching(/ended without a status.*stdout was "half a li"/),
  });
});

test("a command that does not end is cut off at the deadline", async () => {
  await using api = await startTestAPI({ speak: (socket) => send(socket, 2, "working") });
  await expect(exec(api.client, { ...target, timeoutMs: 200 })).rejects.toMatchObject({
    name: "ConformanceError",
    message: expect.stringMatching(/it began, and did not end within 0\.2 s; .*stderr "working"/),
  });
  await expect.poll(api.open).toBe(0);
});

/** Echoes, as a terminal does, and ends with the line `exit 3`. */
const speakAsShell = (socket: WebSocket) => {
  send(socket, 1, "$ ");
  socket.on("message", (data: Buffer) => {
    const line = data.subarray(1).toString("utf8").trim();
    send(socket, 1, `${line}\r\n`);
    if (line === "exit 3") return finish(socket, failed(3));
    send(socket, 1, "4");
    setTimeout(() => send(socket, 1, "2\r\n$ "), 20);
  });
};

test("a shell takes lines, answers across frames, and exits with its code", async () => {
  let asked = "";
  await using api = await startTestAPI({
    speak: (socket, { url }) => {
      asked = url ?? "";
      speakAsShell(socket);
    },
  });
  const shell = await openShell(api.client, target);
  expect(await shell.expectOutput(/.*\$ /s, 1_000)).toBe("$ ");
  shell.write("echo 42\n");
  expect(await shell.expectOutput(/.*\$ /s, 1_000)).toBe("echo 42\r\n42\r\n$ ");
  shell.write("exit 3\n");
  expect(await shell.exitCode).toBe(3);
  expect(asked).toContain("stdout=true&stderr=false&stdin=true&tty=true");
});

test("output that does not come is a failure that quotes the terminal, at the deadline or at the end", async () => {
  await using api = await startTestAPI({ speak: speakAsShell });
  const shell = await openShell(api.client, target);
  await expect(shell.expectOutput(/never/, 100)).rejects.toThrow(/the terminal did not show \/never\/ within 0\.1 s; it showed "\$ "$/);
  shell.write("exit 3\n");
  await expect(shell.expectOutput(/never/, 1_000)).rejects.toThrow(
    /did not show \/never\/ before it exited with 3; it showed "\$ exit 3\\r\\n"$/,
  );
});

test("a shell that could not be started says why", async () => {
  const message = "Internal error occurred: OCI runtime exec failed: open /dev/ptmx: operation not permitted";
  await using api = await startTestAPI({
    speak: (socket) => finish(socket, { status: "Failure", reason: "InternalError", code: 500, message }),
  });
  const shell = await openShell(api.client, target);
  await expect(shell.expectOutput(/.*\$ /s, 1_000)).rejects.toMatchObject({
    name: "ConformanceError",
    message: `exec of "sh -c true" in container web of pod smoke/nginx: could not be run: ${message}`,
  });
});

test("a shell that is closed leaves no connection and no unheard error", async () => {
  await using api = await startTestAPI({ speak: speakAsShell });
  const shell = await openShell(api.client, target);
  shell.close();
  shell.write("nobody hears this");
  await expect(shell.exitCode).rejects.toThrow("ended without a status");
  await expect.poll(api.open).toBe(0);
});
