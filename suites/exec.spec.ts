import { expect, test } from "../fixtures/index.ts";

test("exec-version: nginx -v reports a version, on every worker", async ({ inEachPod, byHand }) => {
  byHand(...inEachPod.byHand("-- nginx -v"));

  // nginx writes its version to stderr.
  const seen = await inEachPod.exec(["nginx", "-v"]);

  expect(seen, "nginx -v").toEqual(
    inEachPod.expecting({ exitCode: 0, stdout: "", stderr: expect.stringMatching(/^nginx version: nginx\/\d+\.\d+/) }),
  );
});

test("exec-streams: stdout, stderr and the exit code come back apart and as they are, on every worker", async ({ inEachPod, byHand }) => {
  byHand(...inEachPod.byHand("-- sh -c 'echo out; echo err >&2; exit 7'; echo $?"));

  const seen = await inEachPod.exec(["sh", "-c", "echo out; echo err >&2; exit 7"]);

  expect(seen, "sh -c 'echo out; echo err >&2; exit 7'").toEqual(inEachPod.expecting({ exitCode: 7, stdout: "out\n", stderr: "err\n" }));
});

test("exec-reads: environment and files of the container can be read, on every worker", async ({ inEachPod, byHand }) => {
  byHand(...inEachPod.byHand("-- env"), ...inEachPod.byHand("-- ls -la /usr/share/nginx/html"));

  const seen = await inEachPod.exec(["sh", "-c", "env; ls -la /usr/share/nginx/html"]);

  // The kubelet sets HOSTNAME to the Pod's name, so that the environment is known to be this Pod's.
  const lines = (pod: { name: string }) => new RegExp(`^HOSTNAME=${pod.name}$[^]* index\\.html$`, "m");
  expect(seen, "env; ls -la /usr/share/nginx/html").toEqual(
    inEachPod.expecting((pod) => ({ exitCode: 0, stdout: expect.stringMatching(lines(pod)), stderr: "" })),
  );
});

test("exec-stdin: standard input reaches the command, and so does its end, on every worker", async ({ inEachPod, byHand }) => {
  byHand(...inEachPod.byHand("-i -- cat <<< hello"));

  const seen = await inEachPod.exec(["cat"], { stdin: "hello\n" });

  expect(seen, "cat, with hello on its standard input").toEqual(inEachPod.expecting({ exitCode: 0, stdout: "hello\n", stderr: "" }));
});

test("exec-tty: an interactive shell takes a line, answers, and exits with its code, on every worker", async ({ inEachPod, byHand }) => {
  byHand(...inEachPod.byHand("-ti -- sh"));

  // The sum shows that the shell has answered: the terminal echoes the line itself as well.
  const seen = await inEachPod.converse(["sh"], [{ say: "test -t 0 && echo answer $((20 + 22))", hear: /answer 42/ }, { say: "exit 3" }]);

  expect(seen, "sh on a terminal, told to add 20 and 22 and to exit 3").toEqual(inEachPod.expecting({ heard: ["answer 42"], exitCode: 3 }));
});
