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
    rule: "etcdctl-file-unreadable",
    check: "secret-encrypted",
    message:
      'server: "env ETCDCTL_API=3 etcdctl --cacert=/etc/etcd/ca.pem get /registry/x -w json" exited 128, expected 0: Error: open /etc/etcd/ca.pem: no such file or directory. Is etcdctl installed there?',
    cause: /^etcdctl on server cannot read \/etc\/etcd\/ca\.pem: no such file or directory$/,
    butNot: [
      { message: 'server: "etcdctl get /registry/x -w json" exited 1, expected 0: context deadline exceeded.' },
      { check: "exec-reads", message: "ls: cannot open /etc/etcd/ca.pem: no such file or directory" },
    ],
  },
  {
    rule: "etcdctl-told-twice",
    check: "secret-encrypted",
    message:
      'server: "env ETCDCTL_API=3 etcdctl --endpoints=http://127.0.0.1:2379 get /registry/x -w json" exited 1, expected 0: {"level":"fatal","msg":"conflicting environment variable is shadowed by corresponding command-line flag","environment-variable":"ETCDCTL_ENDPOINTS"}. Is etcdctl installed there?',
    cause: /^etcdctl on server does not run, because ETCDCTL_ENDPOINTS is set there, and SMOKE_ETCDCTL_FLAGS has the flag for the same$/,
    butNot: [
      {
        message:
          'server: "etcdctl get /registry/x -w json" exited 1, expected 0: {"level":"warn","msg":"unrecognized environment variable","environment-variable":"ETCDCTL_API=3"}',
      },
    ],
  },
  ...["etcdctl found no such key", 'its value neither shows "plaintext of 0a1b2c3d" nor begins k8s:enc:'].map((seen): Case => ({
    rule: "another-etcd",
    check: "secret-deleted",
    message: `server: etcdctl must show the ConfigMap smoke-calibration, which this run has created, under /registry/configmaps/smoke-1/smoke-calibration, in plaintext or encrypted, but ${seen}.`,
    cause: /^etcdctl on server does not ask the etcd of this cluster$/,
    butNot: [{ message: 'server: "etcdctl get /registry/x" exited 1, expected 0: context deadline exceeded.' }],
  })),
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
  ...["invalid padding on input", "cipher: message authentication failed", "output array was not large enough for encryption"].map(
    (reason): Case => ({
      rule: "stored-secret-of-other-key-bytes",
      check: "secret-read-back",
      message: `API server https://x: GET /api/v1/namespaces/smoke-1/secrets/y answered 500: Internal error occurred: ${reason}`,
      cause: /^a Secret that is stored does not open with the bytes that a kube-apiserver has for the key of its name/,
      // What we decrypt ourselves says nothing of the API server.
      butNot: [{ check: "secret-decrypts", message: `the value does not open: ${reason}` }, { message: "answered 500: nothing works" }],
    }),
  ),
];

test.for(cases)("$rule is named when $check fails", (given) => {
  expect(causeOf(given)).toEqual({ rule: given.rule, cause: expect.stringMatching(given.cause) });
  expect(lookalikes(given)).not.toContain(given.rule);
});
