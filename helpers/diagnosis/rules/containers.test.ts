import { expect, test } from "vitest";
import { causeOf, healthy, line, lookalikes, said, type Case } from "../recorded.ts";

const pod = healthy().api.pods.find(({ nodeName }) => nodeName === "node-1")?.name ?? "";
const script = line("node-1", "programs", "/usr/local/bin/runc script");
const expectedOf = (seen: string) => `sh -c 'echo out': expected [ { pod: '${pod} on node-1', ${seen} } ] to deeply equal [ { pod: 'x' } ]`;
const logged = (entry: string) =>
  `the request in each Pod's log: from 127.0.0.1, method, path, status: expected [ { pod: '${pod} on node-1', line: '${entry}' } ] to deeply equal [ { pod: 'x' } ]`;
const otherServer = said("node-1", "pods", (text) => text.replace(/server=nginx\S*/, "server=other-server"));

const cases: readonly Case[] = [
  {
    rule: "container-outside-shim",
    check: "containers-on-host",
    message: `containers: expected [ 'node-1: process 7 (nginx) of Pod ${pod} hangs under other-shim (5), then systemd (1), expected a containerd-shim above it' ]`,
    cause: /^on node-1 containers run under other-shim, and not under containerd-shim-runc-v2$/,
    butNot: [{ message: "containers: expected [ 'node-1: the runtime has no container 0e72 of Pod nginx-1' ] to deeply equal []" }],
  },
  {
    rule: "another-server-answers",
    check: "logs-recorded",
    message: "not within 5 s; last seen: 0 lines",
    change: otherServer,
    cause: /^what answers in the Pods is not nginx but other-server$/,
    butNot: [
      {
        message: "not within 5 s; last seen: 0 lines",
        change: said("node-1", "pods", (text) => text.replace(/exit=0 code=200 .*/, "exit=7 code=000 ip= server=")),
      },
      { check: "exec-version", change: otherServer },
    ],
  },
  {
    rule: "terminal-refused",
    check: "exec-tty",
    message: `exec of "sh" in container nginx of pod smoke-1/${pod}: could not be run: OCI runtime exec failed: open /dev/pts/ptmx: operation not permitted`,
    cause: /^the runtime on node-1 may open no terminal for a container: open \/dev\/pts\/ptmx: operation not permitted$/,
    butNot: [
      {
        message: `exec of "sh" in container nginx of pod smoke-1/${pod}: could not be run: adding pid 7 to cgroups: operation not permitted`,
      },
    ],
  },
  {
    rule: "terminal-refused",
    check: "exec-tty",
    message: `exec of "sh" in container nginx of pod smoke-1/${pod}: could not be run: OCI runtime exec failed: verify ptmx handle: ptmx handle is not on a real devpts mount`,
    cause: /^the runtime on node-1 may open no terminal for a container: verify ptmx handle: ptmx handle is not on a real devpts mount$/,
  },
  {
    rule: "command-not-in-image",
    check: "exec-version",
    message: 'exec: could not be run: exec failed: exec: "nginx": executable file not found in $PATH',
    cause: /^the image nginx:latest has no nginx where exec looks for it$/,
    butNot: [
      // It is the runtime's own program that is missing.
      { message: 'exec: could not be run: OCI runtime exec failed: exec: "runc": executable file not found in $PATH: unknown' },
    ],
  },
  {
    rule: "exit-code-lost",
    check: "exec-streams",
    message: expectedOf("exitCode: +0, stdout: 'out\\n', stderr: 'err\\n'"),
    change: script,
    cause: /^the runtime on node-1 does not give a command in a container its exit code$/,
    butNot: [
      // There has to be something in the runtime's place.
      { message: expectedOf("exitCode: +0, stdout: 'out\\n', stderr: 'err\\n'") },
      {
        message: expectedOf("exitCode: +0, stdout: 'out\\n', stderr: 'err\\n'"),
        change: line("node-0", "programs", "/usr/local/bin/runc script"),
      },
      // The command was killed.
      { message: expectedOf("exitCode: 137, stdout: '', stderr: ''"), change: script },
    ],
  },
  {
    rule: "streams-merged",
    check: "exec-version",
    message: expectedOf("exitCode: 0, stdout: 'nginx version', stderr: ''"),
    change: script,
    cause: /apart from stdout$/,
    butNot: [
      { message: expectedOf("exitCode: 0, stdout: 'nginx version', stderr: ''") },
      { message: expectedOf("exitCode: 137, stdout: '', stderr: ''"), change: script },
    ],
  },
  {
    rule: "stdin-lost",
    check: "exec-stdin",
    message: expectedOf("exitCode: 0, stdout: '', stderr: ''"),
    change: script,
    cause: /its standard input$/,
    butNot: [
      { message: expectedOf("exitCode: 0, stdout: '', stderr: ''") },
      { message: expectedOf("exitCode: 137, stdout: '', stderr: ''"), change: script },
    ],
  },
  {
    rule: "environment-lost",
    check: "exec-reads",
    message: `${expectedOf("exitCode: 0, stdout: 'PATH=/bin'")} /^HOSTNAME=/`,
    change: script,
    cause: /the container's environment$/,
    butNot: [
      { message: `${expectedOf("exitCode: 0, stdout: 'PATH=/bin'")} /^HOSTNAME=/` },
      // What cannot be read are the files.
      { message: `${expectedOf(`exitCode: 2, stdout: 'HOSTNAME=${pod}', stderr: 'ls: cannot access'`)} /^HOSTNAME=/`, change: script },
      { message: `${expectedOf(`exitCode: 0, stdout: 'HOSTNAME=${pod}', stderr: ''`)} /^HOSTNAME=/`, change: script },
    ],
  },
  {
    rule: "not-listening-on-loopback",
    check: "port-forward",
    message: `${pod} on node-1: failed to connect to localhost:80 inside namespace "cni-1", IPv4: dial tcp4 127.0.0.1:80: connect: connection refused`,
    cause: /^nginx in the Pod on node-1 does not listen on 127\.0\.0\.1/,
    butNot: [
      // It is the API server that is reached by the loopback, as on k3s or through a tunnel.
      {
        message:
          "API server https://127.0.0.1:6443: GET /api/v1/pods was not answered: connection refused. Is kube-apiserver running there?",
        change: said("server", "api-here", () => ""),
      },
      { message: "refused with 500: dial tcp 10.91.7.21:10250: connect: connection refused" },
    ],
  },
  {
    rule: "log-is-empty",
    check: "logs-recorded",
    message: `${pod} on node-1: the request /smoke-1 in the log of container nginx: not within 5 s; last seen: 0 lines`,
    cause: /^the container of the Pod on node-1 does not log its requests to stdout$/,
    butNot: [
      { message: `log of container nginx of pod smoke-1/${pod}: refused with 500: no such file` },
      { check: "port-forward", message: "in the log of container nginx: not within 5 s" },
    ],
  },
  {
    rule: "log-shows-no-address",
    check: "logs-recorded",
    message: logged(`"GET /TOKEN HTTP/1.1" 404`),
    cause: /^the log of the Pod on node-1 does not show 127\.0\.0\.1/,
    butNot: [
      { message: logged(`127.0.0.1 - - "GET /TOKEN HTTP/1.1" 405 `) },
      { check: "logs-followed", message: logged(`"GET /TOKEN HTTP/1.1" 404`) },
    ],
  },
  {
    rule: "another-server-told",
    check: "pod-ip-from-server",
    message: "expected [ { page: 'a page of 0 bytes without a title' } ]",
    cause: /^what answers is not nginx: a page of 0 bytes without a title$/,
    butNot: [
      { message: "expected [ { page: 'timed out after 3000 ms' } ] to deeply equal [ { page: '<title>Welcome to nginx!</title>' } ]" },
      { check: "port-forward", message: "expected [ '200 from nginx/1.27.0' ]" },
    ],
  },
];

test.for(cases)("$rule is named when $check fails", (given) => {
  expect(causeOf(given)).toEqual({ rule: given.rule, cause: expect.stringMatching(given.cause) });
  expect(lookalikes(given)).not.toContain(given.rule);
});
