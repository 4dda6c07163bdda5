import { expect, test } from "vitest";
import { causeOf, lookalikes, type Case } from "../recorded.ts";

const cannotOpen = (what: string) => `node-1: cannot open SSH to root@10.91.7.21:22: ${what}. Does it help?`;

const cases: readonly Case[] = [
  {
    rule: "ssh-refused",
    check: "pods-on-bridge",
    message: cannotOpen("the connection was refused"),
    cause: /^sshd does not run on node-1: root@10\.91\.7\.21:22 refuses the connection$/,
    // That SSH is out of order, too, is told by others, whose failure has another cause.
    butNot: [
      {
        check: "node-port-answers",
        message: `node-1: GET x: 3 of 32; from node-1 itself it could not be tried: ${cannotOpen("the connection was refused")}`,
      },
    ],
  },
  {
    rule: "ssh-host-key-changed",
    check: "secret-encrypted",
    message: cannotOpen(
      "its host key is ssh-ed25519 SHA256:a, but /root/.ssh/known_hosts has ssh-ed25519 SHA256:b on line 1. It may be another machine",
    ),
    cause: /^the SSH host key of node-1 is not the one that is known for root@10\.91\.7\.21:22$/,
    butNot: [{ message: cannotOpen("its host key ssh-ed25519 SHA256:a is unknown: /root/.ssh/known_hosts has no key for 10.91.7.21") }],
  },
  {
    rule: "ssh-host-key-unknown",
    check: "secret-encrypted",
    message: cannotOpen("its host key ssh-ed25519 SHA256:a is unknown: /root/.ssh/known_hosts has no key for 10.91.7.21"),
    cause: /^the SSH host key of node-1 is unknown here/,
    butNot: [
      { message: cannotOpen("its host key is ssh-ed25519 SHA256:a, but /root/.ssh/known_hosts has ssh-ed25519 SHA256:b on line 1") },
    ],
  },
  {
    rule: "ssh-login-refused",
    check: "pod-cidr",
    message: cannotOpen("sshd refused to log in root with the agent"),
    cause: /^sshd on node-1 does not let root in$/,
    butNot: [
      { message: cannotOpen("the connection was refused") },
      { message: "node-1: sshd refused to log in somebody, as its log tells" },
    ],
  },
  {
    rule: "ssh-unreachable",
    check: "pod-cidr",
    message: cannotOpen("nothing answered within 10 s"),
    cause: /^node-1 is not reached by SSH at root@/,
    butNot: [
      { message: cannotOpen("the connection was refused") },
      { check: "pod-ip-from-server", message: "server: curl 10.200.1.6: no route to host" },
    ],
  },
  {
    rule: "ssh-other-machine",
    check: "pod-cidr",
    message: 'node-0: root@10.91.7.21:22 answers that its hostname is "node-1", expected "node-0". The address belongs to another machine.',
    cause: /^the SSH address of node-0, 10\.91\.7\.21, is that of node-1$/,
    butNot: [
      // In the middle of a message it is told besides.
      {
        check: "node-port-answers",
        message: `node-1: GET x: 3 of 32; from node-1 itself it could not be tried: node-1: root@10.91.7.21:22 answers that its hostname is "node-0"`,
      },
    ],
  },
  {
    rule: "sudo-refused",
    check: "pod-cidr",
    message:
      'node-0: "x" needs root, and sudo does not let admin in without a password (sudo: a password is required). Set SMOKE_SSH_USER=root.',
    cause: /^admin may not become root on node-0$/,
    butNot: [
      {
        check: "node-port-answers",
        message: `node-1: GET x: 3 of 32; from node-1 itself it could not be tried: node-1: "curl" needs root, and sudo does not let admin in without a password`,
      },
    ],
  },
];

test.for(cases)("$rule is named when $check does not pass", (given) => {
  expect(causeOf(given)).toEqual({ rule: given.rule, cause: expect.stringMatching(given.cause) });
  expect(lookalikes(given)).not.toContain(given.rule);
});
