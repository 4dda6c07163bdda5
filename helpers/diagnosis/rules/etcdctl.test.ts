import { expect, test } from "vitest";
import { causeOf, lookalikes, type Case } from "../recorded.ts";

const cases: readonly Case[] = [
  {
    rule: "etcdctl-missing",
    check: "secret-encrypted",
    message: 'server: "etcdctl get /registry/x -w json" exited 127, expected 0: etcdctl: not found. Is etcdctl installed there?',
    cause: /^etcdctl is not on server/,
    butNot: [{ message: 'server: "etcdctl get /registry/x -w json" exited 1, expected 0: context deadline exceeded.' }],
  },
  {
    rule: "another-etcd",
    check: "secret-deleted",
    message: "server: etcdctl must show the ConfigMap smoke-calibration, but etcdctl found no such key.",
    cause: /^etcdctl on server does not ask the etcd of this cluster$/,
    butNot: [{ message: 'server: "etcdctl get /registry/x" exited 1, expected 0: context deadline exceeded.' }],
  },
  {
    rule: "etcdctl-contradicts-itself",
    check: "secret-encrypted",
    message: 'server: "etcdctl get /registry/x" tells one thing in JSON and another through hexdump: the bytes differ.',
    cause: /shows other bytes in JSON than through hexdump/,
    butNot: [{ message: "server: etcdctl must show the ConfigMap smoke-calibration, but etcdctl found no such key." }],
  },
  {
    rule: "stored-secret-unreadable",
    check: "secret-read-back",
    message: 'API server https://x: GET y answered 500: unable to transform key "/registry/secrets/x": no matching prefix found',
    cause: /has no key any more for a Secret that is stored/,
    butNot: [
      {
        check: "secret-decrypts",
        message: "does not decrypt with /root/x: the EncryptionConfiguration has no key for it: the value is aesgcm",
      },
    ],
  },
];

test.for(cases)("$rule is named when $check fails", (given) => {
  expect(causeOf(given)).toEqual({ rule: given.rule, cause: expect.stringMatching(given.cause) });
  expect(lookalikes(given)).not.toContain(given.rule);
});
