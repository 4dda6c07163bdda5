import { expect, test } from "vitest";
import { collectAnswers, hearAnswers } from "./several-commands.ts";
import { openHost } from "./ssh.ts";
import { startTestServer } from "./ssh-test-server.ts";

test("commands come back each with its own exit code and output, in one round trip", async () => {
  await using server = await startTestServer();
  const host = await openHost(server.target);
  const before = server.commands.length;
  const answers = await collectAnswers(
    host,
    {
      lines: "printf 'one\\n\\ntwo 0 dHdv\\n'",
      failing: "echo said; exit 7",
      missing: "no-such-command",
      shared: `echo "$greeting it's"`,
      empty: "true",
    },
    "greeting=hello",
  );
  expect(answers).toEqual({
    lines: { exitCode: 0, stdout: "one\n\ntwo 0 dHdv\n" },
    failing: { exitCode: 7, stdout: "said\n" },
    missing: { exitCode: 127, stdout: "\n" },
    shared: { exitCode: 0, stdout: "hello it's\n" },
    empty: { exitCode: 0, stdout: "\n" },
  });
  expect(server.commands.length - before).toBe(1);
  await host.close();
});

test("a script that ends early is not taken for an answer", async () => {
  await using server = await startTestServer();
  const host = await openHost(server.target);
  await expect(collectAnswers(host, { links: "ip -j link" }, "echo no shell >&2; exit 0")).rejects.toMatchObject({
    name: "InconclusiveError",
    message: "node-0: a script that answers for links did not: no shell.",
  });
  await host.close();
});

test("each answer is heard as it comes, and what is ended when its time is over is no answer, also where it has begun", async () => {
  await using server = await startTestServer();
  const host = await openHost(server.target);
  const heard: [string, string | undefined][] = [];

  const hearing = hearAnswers(
    host,
    { shared: "greet it\\'s", begun: "echo half; sleep 30", after: 'echo "$greeting"', last: "exec sleep 30", never: "echo never" },
    { prelude: "greeting=hello; export greeting", functions: 'greet() { echo "$greeting $1"; }', secondsEach: 1, timeoutMs: 1_800 },
    (name, answer) => heard.push([name, answer?.stdout]),
  );

  await expect(hearing).rejects.toMatchObject({ message: expect.stringContaining("did not end within 1.8 s") });
  expect(heard).toEqual([
    ["shared", "hello it's\n"],
    ["begun", undefined],
    ["after", "hello\n"],
  ]);
  await host.close();
});
